"""psycopg2, libpq below it: argv is the URL, and one with a wrong password."""
import io, json, select, sys, threading
import psycopg2

url, wrong = sys.argv[1:]
seen = {"driver": f"psycopg2 {psycopg2.__version__.split()[0]}"}
connection = psycopg2.connect(url)
connection.autocommit = True
cursor = connection.cursor()
cursor.execute("SELECT %s::int + %s::int", (1, 2))
seen["parameters"] = cursor.fetchone()[0]
cursor.execute("PREPARE twice(int) AS SELECT $1 * 2")
cursor.execute("EXECUTE twice(%s)", (21,))
seen["prepared"] = cursor.fetchone()[0]
threading.Timer(0.3, connection.cancel).start()
try:
    cursor.execute("SELECT pg_sleep(60)")
except psycopg2.Error as error:
    seen["cancel"] = error.pgcode
cursor.execute("CREATE TEMP TABLE copied (n int, word text)")
cursor.copy_expert("COPY copied FROM STDIN", io.StringIO("1\tone\n2\ttwo\n3\tthree\n"))
cursor.execute("SELECT count(*) FROM copied")
seen["copy"] = cursor.fetchone()[0]
cursor.execute("LISTEN news")
cursor.execute("NOTIFY news, 'hello'")
if select.select([connection], [], [], 10)[0]:
    connection.poll()
seen["notification"] = connection.notifies[0].payload
try:
    psycopg2.connect(wrong)
except psycopg2.OperationalError as error:
    seen["wrong"] = str(error).strip().split("FATAL:  ")[-1]
print(json.dumps(seen))
