# Ruby's pg, libpq below it.
require "json"
require "pg"

url, wrong = ARGV
seen = { driver: "ruby-pg #{PG::VERSION}" }
connection = PG.connect(url)
connection.type_map_for_results = PG::BasicTypeMapForResults.new(connection)
seen[:parameters] = connection.exec_params("SELECT $1::int + $2::int", [1, 2]).getvalue(0, 0)
connection.prepare("twice", "SELECT $1::int * 2")
seen[:prepared] = connection.exec_prepared("twice", [21]).getvalue(0, 0)
begin
  Thread.new { sleep 0.3; connection.cancel }
  connection.exec("SELECT pg_sleep(60)")
rescue PG::QueryCanceled => error
  seen[:cancel] = error.result.error_field(PG::PG_DIAG_SQLSTATE)
end
connection.exec("CREATE TEMP TABLE copied (n int, word text)")
connection.copy_data("COPY copied FROM STDIN") do
  ["1\tone\n", "2\ttwo\n", "3\tthree\n"].each { |row| connection.put_copy_data(row) }
end
seen[:copy] = connection.exec("SELECT count(*) FROM copied").getvalue(0, 0)
connection.exec("LISTEN news")
connection.exec("NOTIFY news, 'hello'")
connection.wait_for_notify(10) { |_channel, _pid, payload| seen[:notification] = payload }
begin
  PG.connect(wrong)
rescue PG::ConnectionBad => error
  seen[:wrong] = error.message.strip.split("FATAL:  ").last
end
puts JSON.generate(seen)
