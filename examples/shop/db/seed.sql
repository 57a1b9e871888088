-- 100,000 rows, the same ones every time: 2,000 products, 5,000 customers, 28,000 orders, 65,000 items.

INSERT INTO products (id, name, category, price_cents, stock)
SELECT
  n + 1,
  concat_ws(' ',
    (ARRAY['Amber', 'Azure', 'Birch', 'Coral', 'Dusk', 'Ember', 'Fern', 'Frost', 'Harbor', 'Hazel',
           'Indigo', 'Ivory', 'Juniper', 'Linen', 'Meadow', 'Moss', 'Pebble', 'Saffron', 'Slate', 'Willow'])[n % 20 + 1],
    (ARRAY['Brass', 'Cedar', 'Clay', 'Cotton', 'Felt', 'Glass', 'Oak', 'Steel', 'Stone', 'Wool'])[n / 20 % 10 + 1],
    (ARRAY['Lamp', 'Mug', 'Chair', 'Blanket', 'Clock', 'Vase', 'Basket', 'Kettle', 'Notebook', 'Planter'])[n / 200 + 1]),
  (ARRAY['Light', 'Kitchen', 'Living', 'Living', 'Desk', 'Living', 'Storage', 'Kitchen', 'Desk', 'Garden'])[n / 200 + 1],
  900 + n * 7919 % 240 * 50,
  5 + n * 31 % 60
FROM generate_series(0, 1999) AS n;

INSERT INTO customers (id, name, email)
SELECT
  n + 1,
  concat_ws(' ',
    (ARRAY['Ada', 'Alan', 'Barbara', 'Donald', 'Edsger', 'Frances', 'Grace', 'Hedy', 'Ken', 'Margaret'])[n % 10 + 1],
    (ARRAY['Allen', 'Dijkstra', 'Hamilton', 'Hopper', 'Knuth', 'Lamarr', 'Liskov', 'Lovelace', 'Thompson', 'Turing'])[n / 10 % 10 + 1]),
  'customer' || n + 1 || '@example.com'
FROM generate_series(0, 4999) AS n;

INSERT INTO orders (id, customer_id, ordered_at)
SELECT n + 1, n * 7 % 5000 + 1, now() - (28000 - n) * interval '20 minutes'
FROM generate_series(0, 27999) AS n;

-- Every order has two items, and 9,000 of them a third: 977 is prime, so that no order has one twice.
INSERT INTO order_items (order_id, product_id, quantity, price_cents)
SELECT orders.id, products.id, 1 + n % 3, products.price_cents
FROM generate_series(0, 64999) AS n
JOIN orders ON orders.id = n % 28000 + 1
JOIN products ON products.id = (n % 28000 * 13 + n / 28000 * 977) % 2000 + 1;

SELECT setval(pg_get_serial_sequence('products', 'id'), 2000);
SELECT setval(pg_get_serial_sequence('customers', 'id'), 5000);
SELECT setval(pg_get_serial_sequence('orders', 'id'), 28000);

ANALYZE;
