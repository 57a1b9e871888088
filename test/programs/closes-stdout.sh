# Closes its output, works on, and exits with 7.
exec >&- 2>&-
sleep 0.2
exit 7
