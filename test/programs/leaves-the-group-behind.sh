# The leader ends, a member of its group stays.
sleep 60 &
echo "$!"
