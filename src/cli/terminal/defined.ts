/** The variables that are set. */
export function definedOf(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const defined: Record<string, string> = {};
  for (const [name, text] of Object.entries(environment))
    if (text !== undefined) defined[name] = text;
  return defined;
}
