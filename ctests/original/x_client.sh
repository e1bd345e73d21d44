#!/bin/bash
# Asks the X server at $DISPLAY, which sshd forwards over TCP, who it is: the vendor's name begins at byte 40 of the
# answer to a connection setup without authorization.
number=${DISPLAY##*:}
exec 3<>"/dev/tcp/127.0.0.1/$((6000 + ${number%.*}))" || exit
printf 'l\0\13\0\0\0\0\0\0\0\0\0' >&3
head -c 60 <&3 | tail -c 20
