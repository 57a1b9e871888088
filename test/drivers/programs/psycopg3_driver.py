"""psycopg 3, with server-side binding and prepared statements of its own."""
import json, sys, threading
import psycopg

url, wrong = sys.argv[1:]
seen = {"driver": f"psycopg {psycopg.__version__}"}
connection = psycopg.connect(url, autocommit=True)
seen["parameters"] = connection.execute("SELECT %s::int + %s::int", (1, 2)).fetchone()[0]
for _ in range(3):
    seen["prepared"] = connection.execute("SELECT %s::int * 2", (21,), prepare=True).fetchone()[0]
threading.Timer(0.3, connection.cancel).start()
try:
    connection.execute("SELECT pg_sleep(60)")
except psycopg.Error as error:
    seen["cancel"] = error.sqlstate
connection.execute("CREATE TEMP TABLE copied (n int, word text)")
with connection.cursor().copy("COPY copied FROM STDIN") as copy:
    for row in [(1, "one"), (2, "two"), (3, "three")]:
        copy.write_row(row)
seen["copy"] = connection.execute("SELECT count(*) FROM copied").fetchone()[0]
connection.add_notify_handler(lambda event: seen.update(notification=event.payload))
connection.execute("LISTEN news")
connection.execute("NOTIFY news, 'hello'")
connection.execute("SELECT 1")
try:
    psycopg.connect(wrong)
except psycopg.OperationalError as error:
    seen["wrong"] = str(error).strip().split("FATAL:  ")[-1]
print(json.dumps(seen))
