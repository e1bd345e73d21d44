# Turns the runs that bench/run.sh noted into a table of medians, ratios and verdicts.
#
# Input: section, row, library (peer or ours), pair, then key=value figures. The ratio of a row is
# the median of its pairs' ratios, ours over the original's, so that a slow moment of the machine
# that hits both runs of a pair does not count.
#
# Variables: round_trip (ms); rate_noise, how far below its limit a throughput may lie before it
# counts as a miss; self is 1 when the original is compared with itself: then every ratio
# must be about 1, and no limit is looked at.

BEGIN {
    window = 2 * 1024 * 1024    # what OpenSSH's server grants a session channel
    cpu_limit = 0.20
    rate_limit = 1.00
    syscall_limit = 0.10
    window_limit = 0.90
    self_tolerance["cpu"] = 0.20
    self_tolerance["rate"] = 0.30
    self_tolerance["syscalls"] = 0.10
    self_tolerance["window"] = 0.10
    failed = passed = 0
}

{
    section = $1
    row = $2
    lib = $3
    pair = $4
    delete figure
    for (i = 5; i <= NF; i++) {
        split($i, part, "=")
        figure[part[1]] = part[2]
    }
    if (!((section, row) in seen)) {
        seen[section, row] = 1
        rows[section, ++row_count[section]] = row
    }
    if (pair > pair_count[section, row])
        pair_count[section, row] = pair
    if (section == "cpu") {
        gigabytes = figure["bytes"] / 1e9
        note("user", figure["user"] / gigabytes)
        note("all", (figure["user"] + figure["sys"]) / gigabytes)
    } else if (section == "rate")
        note("rate", figure["rate"])
    else if (section == "syscalls")
        note("calls", figure["syscalls"])
    else if (section == "window")
        note("share", figure["bytes"] / figure["wall"] * round_trip / 1000 / window)
}

END {
    if (row_count["cpu"]) {
        head("User CPU, s/GB, 256 KiB buffers")
        for (i = 1; i <= row_count["cpu"]; i++) {
            row = rows["cpu", i]
            compare("cpu", row, "user", "%.3f")
            # The issue's limit is on AES-256-GCM; the others are there to be seen.
            verdict("cpu", i == 1 ? ratio <= cpu_limit : "", sprintf("at most %.2f", cpu_limit))
        }
        compare("cpu", rows["cpu", 1], "all", "%.3f", "  with system CPU")
        verdict("", "")
    }
    if (row_count["rate"]) {
        head("Throughput, MB/s, per buffer size")
        for (i = 1; i <= row_count["rate"]; i++) {
            compare("rate", rows["rate", i], "rate", "%.1f")
            verdict("rate", ratio >= rate_limit - rate_noise, \
                    sprintf("at least %.2f, noise %.2f", rate_limit, rate_noise))
        }
    }
    head("System calls per MB (2^20), 256 KiB buffers")
    if (row_count["syscalls"] == 2) {
        peer = per_megabyte("peer")
        ours = per_megabyte("ours")
        ratio = ours / peer
        line("upload", sprintf("%.1f", peer), sprintf("%.1f", ours))
        verdict("syscalls", ratio <= syscall_limit, sprintf("at most %.2f", syscall_limit))
    } else {
        print "  SKIPPED: not counted"
    }
    if (row_count["window"]) {
        head("Share of 2 MiB window used per " round_trip " ms trip")
        for (i = 1; i <= row_count["window"]; i++) {
            row = rows["window", i]
            compare("window", row, "share", "%.3f")
            # A caller that drains its buffer before it offers more lets the wire run dry at the
            # end of each buffer, whatever the library does: only the sliding one is judged.
            verdict("window", row ~ /^slide:[0-9]+M$/ ? ours >= window_limit : "", \
                    sprintf("ours at least %.2f", window_limit))
        }
    }
    printf "\n%s: %d held, %d missed%s\n", failed ? "FAIL" : "PASS", passed, failed, \
        row_count["syscalls"] == 2 ? "" : ", system calls skipped"
    exit failed ? 1 : 0
}

function note(name, number) {
    value[section, row, name, lib, pair] = number
}

function per_megabyte(lib) {
    return (value["syscalls", "17M", "calls", lib, 1] - value["syscalls", "1M", "calls", lib, 1]) / 16
}

function head(title) {
    printf "\n%-46s %10s %10s %7s\n", title, "original", "ours", "ratio"
}

function line(label, left, right) {
    printf "  %-44s %10s %10s %7.3f", label, left, right, ratio
}

# Sets peer, ours and ratio to the medians of one row, and prints them.
function compare(section, row, name, format, label,    n, i, list) {
    n = pair_count[section, row]
    for (i = 1; i <= n; i++)
        list[i] = value[section, row, name, "peer", i]
    peer = median(list, n)
    for (i = 1; i <= n; i++)
        list[i] = value[section, row, name, "ours", i]
    ours = median(list, n)
    for (i = 1; i <= n; i++)
        list[i] = value[section, row, name, "ours", i] / value[section, row, name, "peer", i]
    ratio = median(list, n)
    line(label ? label : row, sprintf(format, peer), sprintf(format, ours))
}

# Ends a line. `held` is empty for a row that is only shown.
function verdict(section, held, limit) {
    if (self && section) {
        held = ratio >= 1 - self_tolerance[section] && ratio <= 1 + self_tolerance[section]
        limit = sprintf("about 1, +-%.2f", self_tolerance[section])
    }
    if (held == "" && !(self && section)) {
        print ""
        return
    }
    printf "  %s (%s)\n", held ? "PASS" : "FAIL", limit
    if (held)
        passed++
    else
        failed++
}

function median(list, n,    i, j, t) {
    for (i = 2; i <= n; i++) {
        t = list[i]
        for (j = i - 1; j >= 1 && list[j] > t; j--)
            list[j + 1] = list[j]
        list[j + 1] = t
    }
    return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}
