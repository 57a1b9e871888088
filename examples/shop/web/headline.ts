export const headline = "Things worth keeping";
