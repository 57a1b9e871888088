export const headline = "Notes";
