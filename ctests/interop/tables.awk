# Makes a Markdown table of the lines "ROW<tab>CELL" of several files, one column for each: what came last of a row counts.
#
#   awk -f tables.awk -v titles="OpenSSH|Go" [-v kind=cipher] FILE...
#
# With `kind` only that kind of algorithm is shown. Such rows first have a cell "[KIND default]" or "[KIND request]".
# "others" as kind shows the rows whose name begins so, as "other" rows have no kind.
BEGIN {
    FS = "\t"
    columns = split(titles, title, "|")
}

FNR == 1 { column++ }

{
    sub(/^= /, "", $1)
    if (match($2, /^\[[a-z]+ (default|request)\]$/)) {
        split(substr($2, 2, length($2) - 2), word, " ")
        kind_of[$1] = word[1]
        offered[$1] = word[2] == "default" ? "yes" : "on request"
        next
    }
    if (!($1 in known)) {
        known[$1] = 1
        rows[++count] = $1
    }
    cell[$1, column] = $2
}

END {
    line = kind ? "| | offered |" : "| |"
    rule = kind ? "|---|---|" : "|---|"
    for (i = 1; i <= columns; i++) {
        line = line " " title[i] " |"
        rule = rule "---|"
    }
    print line
    print rule
    for (i = 1; i <= count; i++) {
        row = rows[i]
        if (kind ? kind_of[row] != kind : row in kind_of || (only && row !~ only) || (without && row ~ without))
            continue
        line = "| " row " |" (kind ? " " offered[row] " |" : "")
        for (j = 1; j <= columns; j++)
            line = line " " ((row, j) in cell ? cell[row, j] : "–") " |"
        print line
    }
}
