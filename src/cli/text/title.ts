/** What people are told which environment it is by. */
export function titleOf({ app, name }: { readonly app: string; readonly name: string }): string {
  return `${app}/${name}`;
}
