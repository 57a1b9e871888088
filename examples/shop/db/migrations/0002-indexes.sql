CREATE INDEX orders_by_customer ON orders (customer_id);
CREATE INDEX order_items_by_product ON order_items (product_id);
CREATE INDEX products_by_category ON products (category, name);
