# Draws a plot as SVG from lines of "series TAB x TAB y".
#
#   kind=lines   y over x, which is a row of names in the order in which they come; y is logarithmic
#   kind=bars    a bar for each y, in groups by x
#
# Variables besides: title, x_title, y_title, note.

BEGIN {
    FS = "\t"
    split("#b5482a #7a7a7a #0b6e99 #12908e #8a6d00 #6b4fa0", palette, " ")
    color["original"] = "#b5482a"
    color["original, 32 KiB"] = "#b5482a"
    color["original, 4 MiB"] = "#d9967f"
    color["debian"] = "#8a6d00"
    color["sftp"] = "#777777"
    color["OpenSSH sftp"] = "#777777"
    color["libssh2-rs"] = "#0b6e99"
    color["libssh2-rs, 4 MiB"] = "#0b6e99"
    color["libssh2-rs, 32 KiB"] = "#74b3cf"
    color["libssh2-rs, write-behind"] = "#12705a"
    color["libssh2-rs, write-behind, 32 KiB"] = "#12705a"
    # Bars come in this order.
    if (kind == "bars")
        series_count = split("original debian sftp libssh2-rs", series, " ")
    for (i = 1; i <= series_count; i++)
        series_at[series[i]] = i
    name["sftp"] = "OpenSSH sftp"
    name["debian"] = "Debian, 1.10"
}

{
    if (!($1 in series_at)) {
        series_at[$1] = ++series_count
        series[series_count] = $1
    }
    if (!($2 in x_at)) {
        x_at[$2] = ++x_count
        x[x_count] = $2
    }
    y[$1, $2] = $3
    if ($3 > largest) largest = $3
    if (smallest == "" || $3 < smallest) smallest = $3
}

END {
    width = 800
    if (kind == "bars") bars(); else lines()
    print "</svg>"
}

function open_svg(height) {
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n", width, height, width, height
    print "<style>text{font:13px sans-serif;fill:#333}.title{font-size:16px;font-weight:bold}.small{font-size:11px;fill:#777}</style>"
    printf "<title>%s</title>\n", title
    printf "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", width, height
    text(20, 28, title, "class=\"title\"")
    text(width - 20, height - 10, note, "class=\"small\" text-anchor=\"end\"")
}

function text(x, y, words, more) {
    if (words != "")
        printf "<text x=\"%.1f\" y=\"%.1f\" %s>%s</text>\n", x, y, more, words
}

function line(x1, y1, x2, y2, stroke) {
    printf "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", x1, y1, x2, y2, stroke
}

function color_of(i) {
    return series[i] in color ? color[series[i]] : palette[(i - 1) % 6 + 1]
}

function name_of(i) {
    return series[i] in name ? name[series[i]] : series[i]
}

function log10(value) {
    return log(value) / log(10)
}

# A number without needless digits.
function short(value) {
    return value >= 100 ? sprintf("%.0f", value) : value >= 10 ? sprintf("%.1f", value) : sprintf("%.2g", value)
}

function lines(    height, left, right, top, bottom, i, k, step, decade, low, high, path, at, label, mark) {
    height = 420; left = 64; right = width - 270; top = 56; bottom = height - 62
    low = floor_log(smallest); high = floor_log(largest)
    if (10 ^ high < largest) high++
    # Halves of a decade would be wasted above and below the lines.
    low = log10(smallest) > low + 0.4 ? low + 0.3 : low
    high = log10(largest) < high - 0.4 ? high - 0.3 : high
    open_svg(height)
    text(left, 48, y_title ", logarithmic", "class=\"small\"")
    for (decade = floor_log(smallest); decade <= high + 1; decade++)
        for (k = 1; k <= 5; k += k == 2 ? 3 : 1) {
            if (k > 2 && k < 5) continue
            mark = log10(k) + decade
            if (mark < low - 0.01 || mark > high + 0.01) continue
            at = bottom - (mark - low) / (high - low) * (bottom - top)
            line(left, at, right, at, k == 1 ? "#ccc" : "#eee")
            text(left - 8, at + 4, sprintf("%g", k * 10 ^ decade), "text-anchor=\"end\"")
        }
    step = x_count > 1 ? (right - left - 30) / (x_count - 1) : 0
    for (i = 1; i <= x_count; i++) {
        at = left + 15 + (i - 1) * step
        line(at, bottom, at, bottom + 5, "#999")
        text(at, bottom + 20, x[i], "text-anchor=\"middle\"")
    }
    line(left, bottom, right, bottom, "#999")
    text((left + right) / 2, bottom + 42, x_title, "text-anchor=\"middle\"")
    for (i = 1; i <= series_count; i++) {
        path = ""
        for (k = 1; k <= x_count; k++) {
            if (!((series[i], x[k]) in y)) continue
            at = bottom - (log10(y[series[i], x[k]]) - low) / (high - low) * (bottom - top)
            path = path (path == "" ? "" : " ") sprintf("%.1f,%.1f", left + 15 + (k - 1) * step, at)
            printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>\n", left + 15 + (k - 1) * step, at, color_of(i)
            label_y[i] = at
            last[i] = y[series[i], x[k]]
        }
        printf "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n", path, color_of(i)
    }
    labels(right, top, bottom)
}

# Names each line at its end, none on top of another.
function labels(right, top, bottom,    i, k, t, order) {
    for (i = 1; i <= series_count; i++) {
        order[i] = i
        for (k = i; k > 1 && label_y[order[k]] < label_y[order[k - 1]]; k--) {
            t = order[k]; order[k] = order[k - 1]; order[k - 1] = t
        }
    }
    for (i = 1; i <= series_count; i++) {
        spot[i] = label_y[order[i]]
        if (i > 1 && spot[i] < spot[i - 1] + 17) spot[i] = spot[i - 1] + 17
    }
    for (i = series_count; i >= 1; i--) {
        if (spot[i] > bottom - 17 * (series_count - i)) spot[i] = bottom - 17 * (series_count - i)
        k = order[i]
        line(right - 10, label_y[k], right + 4, spot[i], "#ddd")
        text(right + 8, spot[i] + 4, name_of(k) ": " short(last[k]), "style=\"fill:" color_of(k) "\"")
    }
}

function floor_log(value,    at) {
    at = log10(value)
    return at < 0 ? -int(1 - at - 1e-9) : int(at + 1e-9)
}

function bars(    height, left, right, at, i, k, group, long) {
    left = 150; right = width - 90; group = 0
    for (k = 1; k <= x_count; k++)
        for (i = 1; i <= series_count; i++)
            if ((series[i], x[k]) in y) group++
    height = 84 + group * 22 + x_count * 16 + 20
    open_svg(height)
    text(20, 48, x_title, "class=\"small\"")
    at = 64
    for (k = 1; k <= x_count; k++) {
        text(20, at + 15, x[k], "font-weight=\"bold\"")
        for (i = 1; i <= series_count; i++) {
            if (!((series[i], x[k]) in y)) continue
            long = y[series[i], x[k]] / largest * (right - left - 120)
            text(left + 112, at + 15, name_of(i), "text-anchor=\"end\"")
            printf "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"16\" fill=\"%s\"/>\n", left + 120, at + 2, long, color_of(i)
            text(left + 126 + long, at + 15, short(y[series[i], x[k]]), "")
            at += 22
        }
        at += 16
    }
}
