# Says why and fails.
echo "cannot find module 'shop'" >&2
exit 1
