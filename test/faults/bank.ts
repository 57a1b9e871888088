/** Rows that prove whether a copy is of one moment: whatever was torn from its transaction shows in a sum. */
export const ACCOUNTS = 2_000;
/** Of a table that is made in one statement, again and again. */
export const CHURN_ROWS = 1_000;
const FIRST_AMOUNT = 1_000;

/** Accounts whose amounts follow from the transfers, and orders that are written together with their lines. */
export const BANK_SQL = `
  CREATE TABLE accounts AS
    SELECT n, ${FIRST_AMOUNT}::bigint AS amount, repeat('x', 200) AS pad FROM generate_series(1, ${ACCOUNTS}) AS n;
  ALTER TABLE accounts ADD PRIMARY KEY (n);
  CREATE TABLE transfers (
    lane int, number int, giver int REFERENCES accounts, taker int REFERENCES accounts, amount int,
    PRIMARY KEY (lane, number));
  CREATE TABLE orders (lane int, number int, lines int NOT NULL, PRIMARY KEY (lane, number));
  CREATE TABLE lines (lane int, number int, line int, FOREIGN KEY (lane, number) REFERENCES orders);
  CREATE INDEX ON lines (lane, number);
`;

/** Each names a fault and counts it; a sound copy counts 0 of each. */
const FAULTS = {
  "accounts that the transfers do not explain": `
    SELECT count(*) FROM accounts
    LEFT JOIN (SELECT giver AS n, sum(amount) AS given FROM transfers GROUP BY giver) AS givers USING (n)
    LEFT JOIN (SELECT taker AS n, sum(amount) AS taken FROM transfers GROUP BY taker) AS takers USING (n)
    WHERE amount <> ${FIRST_AMOUNT} - coalesce(given, 0) + coalesce(taken, 0)`,
  "money made or lost": `
    SELECT abs(sum(amount) - ${ACCOUNTS * FIRST_AMOUNT}) FROM accounts`,
  "lines without their order": `
    SELECT count(*) FROM lines LEFT JOIN orders USING (lane, number) WHERE orders.lane IS NULL`,
  "orders without all of their lines": `
    SELECT count(*) FROM orders
    WHERE lines <> (SELECT count(*) FROM lines AS own WHERE (own.lane, own.number) = (orders.lane, orders.number))`,
  "transfers without their order": `
    SELECT count(*) FROM transfers FULL JOIN orders USING (lane, number)
    WHERE transfers.amount IS NULL OR orders.lines IS NULL`,
  "transfers missing between others": `
    SELECT coalesce(sum(most - known), 0) FROM
      (SELECT max(number) AS most, count(*) AS known FROM transfers GROUP BY lane) AS lanes`,
} as const;

/** Of a copy, which nobody writes to: a reader of the bank itself may see a table between its making and its rows. */
const TABLES_SQL = `
  SELECT count(*) FROM pg_class WHERE relname LIKE 'churn%' AND relkind = 'r' AND ${CHURN_ROWS} <>
    (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I', relname), false, true, '')))[1]::text::int`;

export type Ask = (sql: string) => Promise<readonly (readonly (string | null)[])[]>;

/** The number of the last transfer of each lane that was acknowledged. */
export type Acknowledged = readonly number[];

/** Tables of a copy that were made in one statement and are not whole. */
export async function countHalfTables(ask: Ask): Promise<number> {
  const [[count] = []] = await ask(TABLES_SQL);
  return Number(count);
}

/** What is wrong with a bank, in words; nothing may be missing of what was acknowledged. */
export async function findBankFaults(
  ask: Ask,
  acknowledged: Acknowledged,
): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const [what, sql] of Object.entries(FAULTS)) {
    const [[count] = []] = await ask(sql);
    if (count !== "0") faults.push(`${count} ${what}`);
  }
  for (const [lane, number] of acknowledged.entries()) {
    const [[known] = []] = await ask(
      `SELECT coalesce(max(number), 0) FROM transfers WHERE lane = ${lane}`,
    );
    if (Number(known) < number)
      faults.push(`lane ${lane} has ${known} of ${number} acknowledged transfers`);
  }
  return faults;
}
