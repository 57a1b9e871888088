"""asyncpg, which speaks the protocol by itself."""
import asyncio, json, sys
import asyncpg

url, wrong = sys.argv[1:]


async def main():
    seen = {"driver": f"asyncpg {asyncpg.__version__}"}
    connection = await asyncpg.connect(url)
    seen["parameters"] = await connection.fetchval("SELECT $1::int + $2::int", 1, 2)
    statement = await connection.prepare("SELECT $1::int * 2")
    seen["prepared"] = await statement.fetchval(21)
    try:
        # It asks the server to cancel, and waits for that.
        await connection.execute("SELECT pg_sleep(60)", timeout=0.3)
    except asyncio.TimeoutError:
        seen["cancel"] = "57014" if await connection.fetchval("SELECT true") else "lost"
    await connection.execute("CREATE TEMP TABLE copied (n int, word text)")
    rows = [(1, "one"), (2, "two"), (3, "three")]
    await connection.copy_records_to_table("copied", records=rows)
    seen["copy"] = await connection.fetchval("SELECT count(*) FROM copied")
    heard = asyncio.get_running_loop().create_future()
    await connection.add_listener("news", lambda *event: heard.set_result(event[3]))
    await connection.execute("NOTIFY news, 'hello'")
    seen["notification"] = await asyncio.wait_for(heard, 10)
    await connection.close()
    try:
        await asyncpg.connect(wrong)
    except asyncpg.PostgresError as error:
        seen["wrong"] = str(error)
    print(json.dumps(seen))


asyncio.run(main())
