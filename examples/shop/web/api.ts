export type Shop = {
  readonly environment: string;
  readonly url: string | null;
  readonly orders: number;
  readonly products: number;
};

export type Product = {
  readonly id: number;
  readonly name: string;
  readonly category: string;
  readonly priceCents: number;
  readonly stock: number;
};

export type Item = { readonly product: number; readonly quantity: number };

export async function fetchShop(): Promise<Shop> {
  return readJson(await fetch("/api/shop"));
}

export async function fetchProducts(search: string): Promise<readonly Product[]> {
  return readJson(await fetch(`/api/products?${new URLSearchParams({ search })}`));
}

export async function placeOrder(items: readonly Item[]): Promise<{ readonly order: number }> {
  const answer = await fetch("/api/orders", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ items }),
  });
  return readJson(answer);
}

async function readJson(answer: Response): ReturnType<Response["json"]> {
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error ?? `The shop answered ${answer.status}`);
  return body;
}
