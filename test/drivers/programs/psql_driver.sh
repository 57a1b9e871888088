# psql: $1 is the URL, $2 one with a wrong password.
ask() { psql -XAtq -v ON_ERROR_STOP=1 "$@"; }
version=$(psql --version | sed 's/[^0-9]*\([0-9.]*\).*/\1/')
parameters=$(echo 'SELECT :a::int + :b::int' | ask "$1" -v a=1 -v b=2)
prepared=$(ask "$1" -c 'PREPARE twice(int) AS SELECT $1 * 2' -c 'EXECUTE twice(21)')
# Ctrl-C in psql sends the server a cancel request.
cancel=$(timeout -s INT 1 psql -XAtq -v VERBOSITY=sqlstate "$1" -c 'SELECT pg_sleep(60)' 2>&1 | grep -o '[0-9A-Z]\{5\}$')
copy=$(printf '1\tone\n2\ttwo\n3\tthree\n' | ask "$1" -c 'CREATE TEMP TABLE copied (n int, word text)' -c '\copy copied FROM STDIN' -c 'SELECT count(*) FROM copied')
notification=$(ask "$1" -c 'LISTEN news' -c "NOTIFY news, 'hello'" -c 'SELECT' | sed -n 's/.*payload "\([a-z]*\)".*/\1/p')
wrong=$(ask "$2" -c 'SELECT 1' 2>&1 | sed -n 's/.*FATAL:  //p' | head -n 1 | sed 's/"/\\"/g')
printf '{"driver":"psql %s","parameters":%s,"prepared":%s,"cancel":"%s","copy":%s,"notification":"%s","wrong":"%s"}\n' \
  "$version" "$parameters" "$prepared" "$cancel" "$copy" "$notification" "$wrong"
