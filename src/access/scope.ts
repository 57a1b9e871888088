/** From the least to the most: each may do what those before it may. */
export const RIGHTS = ["read", "write", "admin"] as const;
export type Right = (typeof RIGHTS)[number];

/** What a token is good for. */
export type Scope = {
  /** null: all apps, those to come too. */
  readonly apps: readonly string[] | null;
  readonly right: Right;
};

/** What is asked for; `app` null: it is about no app, or about all that the caller may reach. */
export type Need = { readonly right: Right; readonly app: string | null };

export function allows(scope: Scope, { right, app }: Need): boolean {
  const isStrong = RIGHTS.indexOf(scope.right) >= RIGHTS.indexOf(right);
  return isStrong && (app === null || reaches(scope, app));
}

export function reaches({ apps }: Scope, app: string): boolean {
  return apps === null || apps.includes(app);
}
