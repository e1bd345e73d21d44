# Turns the runs that bench/run.sh noted into tables of medians, ratios and verdicts.
#
# Input: the file `limits`, then the results: section, case, contestant, round, key=value figures. A ratio is the median of
# the ratios of the rounds, so that a slow moment of the machine that hits all runs of a round does not count.
#
# Variables: noise, which some limits let pass; self is 1 when the original is compared with itself: then every ratio must
# be about 1, and no limit is looked at; machine, for the head of the table; csv and markdown, where to write.

BEGIN {
    window = 2 * 1024 * 1024    # what OpenSSH's server grants a session channel
    split("original debian sftp ours behind", order, " ")
    shown["behind"] = "ours, written behind"
    self_tolerance["user"] = 0.20
    self_tolerance["rate"] = 0.30
    self_tolerance["calls"] = 0.10
    self_tolerance["share"] = 0.10
    self_tolerance["instructions"] = 0.05
    failed = passed = 0
}

NR == FNR {
    if (NF && $1 !~ /^#/)
        limit[++limits] = $0
    next
}

{
    section = $1
    what = $2
    who = $3
    round = $4
    delete figure
    for (i = 5; i <= NF; i++) {
        split($i, part, "=")
        figure[part[1]] = part[2]
    }
    if (!((section, what) in seen)) {
        seen[section, what] = 1
        cases[section, ++case_count[section]] = what
    }
    if (round > rounds[section, what])
        rounds[section, what] = round
    if (section == "cpu") {
        note("user", figure["user"] / figure["bytes"] * 1e9)
        note("all", (figure["user"] + figure["sys"]) / figure["bytes"] * 1e9)
    }
    if (section ~ /^(cpu|rate|distance|far)$/)
        note("rate", figure["rate"])
    if (section ~ /^(rate|far)$/ && "peak" in figure)
        note("peak", figure["peak"] / 1024)
    if (section == "window")
        note("share", figure["bytes"] / figure["wall"] * 0.1 / window)
    if (section == "jobs")
        note("wall", figure["wall"])
    if (section == "calls")
        note("calls", figure["calls"] / figure["bytes"] * 1048576)
    if (section == "instructions")
        note("instructions", figure["instructions"] / figure["bytes"])
}

END {
    print "section,case,contestant,figure,unit,rounds,median,lowest,highest,over_original,over_sftp" >csv
    say(machine)
    table("cpu", "user", "s/GB", 3, "User CPU of the client, seconds per GB (10^9 bytes), 256 KiB buffers")
    table("cpu", "all", "s/GB", 3, "The same with system CPU")
    table("cpu", "rate", "MB/s", 0, "Throughput, MB/s, 256 KiB buffers")
    table("rate", "rate", "MB/s", 1, "Throughput, MB/s, per buffer size")
    table("distance", "rate", "MB/s", 3, "Throughput, MB/s, per buffer size and milliseconds of round trip")
    table("window", "share", "share", 3, "Share of the server's 2 MiB channel window that an upload moves per round trip of 100 ms")
    table("far", "rate", "MB/s", 2, "Download over 100 ms, 16 KiB buffers, MB/s")
    table("jobs", "wall", "s", 3, "Seconds for 100 files of 4 KiB, 200 stats, a listing of 10,000 names, per milliseconds of round trip")
    table("calls", "calls", "per MiB", 2, "System calls per MiB, 256 KiB buffers")
    table("instructions", "instructions", "per byte", 2, "Instructions per byte, the cipher's included, 256 KiB buffers")
    table("rate", "peak", "MiB", 1, "Peak memory of the process, MiB, buffers included")
    table("far", "peak", "MiB", 1, "Peak memory, MiB, of the download over 100 ms")
    result = sprintf("%s: %d limits held, %d missed%s%s", failed ? "FAIL" : "PASS", passed, failed,
        case_count["calls"] ? "" : ", system calls not counted",
        case_count["instructions"] ? "" : ", instructions not counted")
    say("")
    say(result)
    exit failed ? 1 : 0
}

function note(name, number) {
    value[section, what, name, who, round] = number
    has[section, name] = 1
    has[section, name, who] = 1
}

function say(text) {
    print text
    print text >markdown
}

# One table, of one figure of one section.
function table(section, name, unit, digits, title,    i, k, n, who, columns, what, cell, width, text) {
    if (!((section, name) in has))
        return
    delete cell
    delete width
    n = 0
    cell[0, ++n] = ""
    for (k = 1; k in order; k++)
        if ((section, name, order[k]) in has) {
            column[++n] = order[k]
            cell[0, n] = order[k] in shown ? shown[order[k]] : order[k]
        }
    columns = n
    cell[0, ++n] = "ours/original"
    cell[0, ++n] = "ours/sftp"
    cell[0, ++n] = "limits"
    for (i = 1; i <= case_count[section]; i++) {
        what = cases[section, i]
        text = what
        gsub(/:/, ", ", text)
        cell[i, 1] = text
        for (k = 2; k <= columns; k++)
            cell[i, k] = measured(section, what, name, column[k], unit, digits)
        cell[i, columns + 1] = shown_ratio(ratio(section, what, name, "ours", "original"))
        cell[i, columns + 2] = shown_ratio(ratio(section, what, name, "ours", "sftp"))
        cell[i, columns + 3] = verdicts(section, what, name)
    }
    for (k = 1; k <= n; k++)
        for (i = 0; i <= case_count[section]; i++)
            if (length(cell[i, k]) > width[k])
                width[k] = length(cell[i, k])
    say("")
    say("### " title)
    say("")
    for (i = 0; i <= case_count[section]; i++) {
        text = "|"
        for (k = 1; k <= n; k++)
            if (width[k])
                text = text sprintf(k == 1 || k == n ? " %-" width[k] "s |" : " %" width[k] "s |", cell[i, k])
        say(text)
        if (i == 0) {
            text = "|"
            for (k = 1; k <= n; k++)
                if (width[k])
                    text = text (k == 1 || k == n ? " :" : " -") dashes(width[k] - 2) (k == 1 || k == n ? "-" : ":") " |"
            say(text)
        }
    }
}

function dashes(count,    text) {
    while (count-- > 0)
        text = text "-"
    return text
}

# The median of one case as a cell, which also goes to the CSV file.
function measured(section, what, name, who, unit, digits,    n, list) {
    n = values(section, what, name, who, list)
    if (!n)
        return ""
    middle = median(list, n)
    printf "%s,%s,%s,%s,%s,%d,%.6g,%.6g,%.6g,%s,%s\n", section, what, who, name, unit, n, middle, list[1], list[n],
        shown_ratio(ratio(section, what, name, who, "original")),
        shown_ratio(ratio(section, what, name, who, "sftp")) >csv
    return sprintf("%." digits "f", middle)
}

function values(section, what, name, who, list,    n, round) {
    n = 0
    for (round = 1; round <= rounds[section, what]; round++)
        if ((section, what, name, who, round) in value)
            list[++n] = value[section, what, name, who, round]
    return n
}

function ratio(section, what, name, who, other,    n, round, list) {
    n = 0
    for (round = 1; round <= rounds[section, what]; round++)
        if ((section, what, name, who, round) in value && (section, what, name, other, round) in value &&
            value[section, what, name, other, round] > 0)
            list[++n] = value[section, what, name, who, round] / value[section, what, name, other, round]
    return n ? median(list, n) : ""
}

function shown_ratio(number) {
    return number == "" ? "" : sprintf("%.3f", number)
}

# What the limits say of one figure of one case.
function verdicts(section, what, name,    i, part, text, number, slack, held) {
    if (self)
        return about_one(section, what, name)
    for (i = 1; i <= limits; i++) {
        split(limit[i], part, " ")
        if (part[1] != section || part[4] != name || !matches(what, part[2]))
            continue
        number = against(section, what, name, part[3], part[5])
        if (number == "")
            continue
        slack = part[8] == "noise" ? noise : 0
        held = part[6] == "most" ? number <= part[7] * (1 + slack) : number >= part[7] * (1 - slack)
        if (held) passed++; else failed++
        text = text (text ? "; " : "") (held ? "PASS" : "FAIL") " (at " part[6] " " part[7] told(part[5]) ")"
    }
    return text
}

function told(other) {
    return other == "-" ? "" : other ~ /\+$/ ? " above " substr(other, 1, length(other) - 1) : " of " other
}

function against(section, what, name, who, other,    n, list, mine) {
    if (other != "-" && other !~ /\+$/)
        return ratio(section, what, name, who, other)
    n = values(section, what, name, who, list)
    if (!n)
        return ""
    mine = median(list, n)
    if (other == "-")
        return mine
    n = values(section, what, name, substr(other, 1, length(other) - 1), list)
    return n ? mine - median(list, n) : ""
}

function about_one(section, what, name,    number, held) {
    number = ratio(section, what, name, "ours", "original")
    if (!(name in self_tolerance) || number == "")
        return ""
    held = number >= 1 - self_tolerance[name] && number <= 1 + self_tolerance[name]
    if (held) passed++; else failed++
    return sprintf("%s (about 1, +-%.2f)", held ? "PASS" : "FAIL", self_tolerance[name])
}

function matches(what, pattern) {
    if (pattern ~ /\*$/)
        return index(what, substr(pattern, 1, length(pattern) - 1)) == 1
    return what == pattern
}

# Sorts the list.
function median(list, n,    i, j, t) {
    for (i = 2; i <= n; i++) {
        t = list[i]
        for (j = i - 1; j >= 1 && list[j] > t; j--)
            list[j + 1] = list[j]
        list[j + 1] = t
    }
    return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}
