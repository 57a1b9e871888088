import { fetchProducts, fetchShop, placeOrder, type Product } from "./api.ts";
import { headline } from "./headline.ts";
import { pictureOf } from "./pictures.ts";

const REFRESH_MS = 5_000;
const money = new Intl.NumberFormat("en", { style: "currency", currency: "USD" });
const cart = new Map<number, number>();

const search = findOf("#search", HTMLInputElement);
const cartButton = find("#cart");

find("#headline").textContent = headline;
search.addEventListener("input", () => void act(showProducts));
cartButton.addEventListener("click", () => void act(checkOut));
setInterval(() => document.hidden || void act(showShop), REFRESH_MS);
void act(showShop);
void act(showProducts);

async function showShop(): Promise<void> {
  const { environment, url, orders } = await fetchShop();
  const badge = find("#environment");
  badge.textContent = environment;
  badge.title = url ?? location.origin;
  badge.style.setProperty("--hue", String(hueOf(environment)));
  document.title = `Shop · ${environment}`;
  find("#orders").textContent = `${orders.toLocaleString("en")} orders`;
}

async function showProducts(): Promise<void> {
  const wanted = search.value;
  const products = await fetchProducts(wanted);
  // Answers may overtake each other: only the last question's counts.
  if (wanted !== search.value) return;
  find("#products").replaceChildren(...products.map(card));
  say(products.length === 0 ? `Nothing is called “${wanted}”` : "");
}

async function checkOut(): Promise<void> {
  if (cart.size === 0) return say("Your cart is empty");
  const { order } = await placeOrder(
    [...cart].map(([product, quantity]) => ({ product, quantity })),
  );
  cart.clear();
  showCart();
  say(`Thank you: your order is number ${order.toLocaleString("en")}`);
  await showShop();
}

function card(product: Product): HTMLElement {
  const picture = element("div", "picture");
  picture.innerHTML = pictureOf(product.name);
  picture.style.setProperty("--hue", String((product.id * 47) % 360));
  const add = element("button", "add", "Add");
  add.addEventListener("click", () => {
    cart.set(product.id, (cart.get(product.id) ?? 0) + 1);
    showCart();
  });
  const foot = element("footer");
  foot.append(element("b", "price", money.format(product.priceCents / 100)), add);
  const item = element("li", "card");
  const category = element("span", "category", `${product.category} · ${product.stock} left`);
  item.append(picture, category, element("h2", "name", product.name), foot);
  return item;
}

function showCart(): void {
  const count = [...cart.values()].reduce((total, quantity) => total + quantity, 0);
  cartButton.textContent = count === 0 ? "Cart · 0" : `Order ${count}`;
  cartButton.classList.toggle("full", count > 0);
}

async function act(work: () => void | Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
  }
}

function say(words: string): void {
  find("#note").textContent = words;
}

function hueOf(name: string): number {
  return Array.from(name).reduce((hue, letter) => (hue * 31 + letter.charCodeAt(0)) % 360, 7);
}

function element(tag: string, className = "", text = ""): HTMLElement {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function find(selector: string): HTMLElement {
  return findOf(selector, HTMLElement);
}

function findOf<T extends HTMLElement>(selector: string, kind: new () => T): T {
  const found = document.querySelector(selector);
  if (found instanceof kind) return found;
  throw new Error(`The page has no ${selector}`);
}
