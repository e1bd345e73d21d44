#!/bin/sh
# Draws the plots of a run.
#
#   bench/plots.sh TABLE.csv DIRECTORY
set -eu

bench=$(dirname "$0")
table=$1
to=$2
date=$(sed -n '1s/,.*//p' "$to/machine" 2>/dev/null || true)

# plot NAME KIND TITLE X-TITLE Y-TITLE SELECTION: an awk program that calls point(SERIES, X) for the lines of the table
# that are to be drawn. A plot without any is not drawn.
plot() {
    awk -F, '
        function point(series, x) { printf "%s\t%s\t%s\n", series, x, $7 }
        NR == 1 { next }
        { split($2, part, ":") }
        { ours = $3 == "ours"; behind = $3 == "behind" }
        '"$6" "$table" >"$to/points"
    if [ -s "$to/points" ]; then
        awk -v kind="$2" -v title="$3" -v x_title="$4" -v y_title="$5" -v note="$date" \
            -f "$bench/plot.awk" "$to/points" >"$to/$1.svg"
    else
        rm -f "$to/$1.svg"
    fi
    rm -f "$to/points"
}

for job in upload download; do
    plot "cpu-$job" bars "User CPU of one $job, by cipher" "seconds of user CPU per GB (less is better)" "" '
        $1 == "cpu" && $4 == "user" && part[1] == "'$job'" { point(ours ? "libssh2-rs" : $3, part[2]) }'
done

plot distance-upload lines "Upload over a long wire" "round trip, milliseconds" "MB/s" '
    $1 == "distance" && part[1] == "upload" && $3 != "debian" {
        if (behind) point("libssh2-rs, write-behind, 32 KiB", part[3])
        else if ($3 == "sftp") point("OpenSSH sftp", part[3])
        else if (ours || part[2] == "4M" || !ours)
            point((ours ? "libssh2-rs" : "original") ", " (part[2] == "4M" ? "4 MiB" : "32 KiB"), part[3])
    }'

plot distance-download lines "Download over a long wire, 16 KiB buffers" "round trip, milliseconds" "MB/s" '
    $1 == "distance" && part[1] == "download" && $3 != "debian" {
        point(ours ? "libssh2-rs" : $3 == "sftp" ? "OpenSSH sftp" : "original", part[3])
    }'

for job in upload download; do
    plot "buffer-$job" lines "Speed of one $job on loopback, AES-256-GCM" "bytes per call" "MB/s" '
        $1 == "rate" && $4 == "rate" && part[1] == "'$job'" {
            point(behind ? "libssh2-rs, write-behind" : ours ? "libssh2-rs" : $3 == "sftp" ? "OpenSSH sftp" : "original",
                part[2])
        }'
done
