/** What stands under names of which the case is kept, and makes no difference. */
export class FoldedNames<T> extends Map<string, T> {
  override get(name: string): T | undefined {
    return super.get(this.#find(name));
  }

  override has(name: string): boolean {
    return super.has(this.#find(name));
  }

  override delete(name: string): boolean {
    return super.delete(this.#find(name));
  }

  override set(name: string, value: T): this {
    super.delete(this.#find(name));
    return super.set(name, value);
  }

  /** The same name as it is written here. */
  #find(name: string): string {
    for (const known of super.keys()) if (known.toLowerCase() === name.toLowerCase()) return known;
    return name;
  }
}
