# Makes manual pages of a header that `make headers` has made: one for each function, from its comment and its prototype,
# and one for each short form. Every page is mdoc(7), so that what is a function, an argument or a section is said once.
#
#   awk -v out=DIRECTORY -v date="November 24, 2026" -f pages.awk HEADER...
#
# Prints a line for each page: its name, a tab, what it is about.

FNR == 1 {
    header = FILENAME
    sub(/.*\//, "", header)
    comment = ""
}

# A comment: its paragraphs, each on lines of its own.
/^\/\*/ {
    comment = ""
    inside = 1
    sub(/^\/\*[ ]?/, "")
}
inside {
    line = $0
    ends = sub(/[ ]*\*\/[ ]*$/, "", line)
    sub(/^   /, "", line)
    sub(/[ ]+$/, "", line)
    comment = comment line "\n"
    if (ends) inside = 0
    next
}

# A short form: a macro whose name is that of no function.
/^#define libssh2_[a-z0-9_]+\(/ {
    definition = $0
    while (definition ~ /\\$/) {
        sub(/[ ]*\\$/, "", definition)
        if ((getline more) <= 0) break
        sub(/^[ ]+/, " ", more)
        definition = definition more
    }
    short_form(definition)
    next
}

/^LIBSSH2_API/ {
    prototype = substr($0, length("LIBSSH2_API") + 1)
    while (prototype !~ /;/ && (getline more) > 0) {
        sub(/^[ ]+/, " ", more)
        prototype = prototype more
    }
    function_page(prototype, comment)
    comment = ""
    next
}

# Anything else stands between a comment and what it is not about.
/[^ ]/ { comment = "" }

function function_page(prototype, comment,    instead, open, name, type, arguments, count, i, paragraphs, n, about, section, required) {
    sub(/;.*$/, "", prototype)
    instead = ""
    if (match(prototype, /LIBSSH2_DEPRECATED\([^)]*\)/)) {
        instead = substr(prototype, RSTART, RLENGTH)
        sub(/LIBSSH2_DEPRECATED\([^)]*\)/, "", prototype)
        instead = match(instead, /libssh2_[a-z0-9_]+/) ? substr(instead, RSTART, RLENGTH) : ""
    }
    open = index(prototype, "(")
    type = substr(prototype, 1, open - 1)
    arguments = substr(prototype, open + 1)
    sub(/\)[^)]*$/, "", arguments)
    if (!match(type, /libssh2_[a-z0-9_]+[ ]*$/)) return
    name = substr(type, RSTART)
    type = substr(type, 1, RSTART - 1)
    gsub(/^[ ]+|[ ]+$/, "", name)
    gsub(/^[ ]+|[ ]+$/, "", type)

    delete argument
    count = split_arguments(arguments)
    delete is_argument
    for (i = 1; i <= count; i++)
        if (match(argument[i], /[a-z0-9_]+$/)) is_argument[substr(argument[i], RSTART)] = 1

    sub(/^\n+/, "", comment)
    sub(/\n+$/, "", comment)
    gsub(/\n\n+/, "\001", comment)
    n = split(comment, paragraphs, "\001")
    about = first_sentence(paragraphs[1])
    start(name, about)
    synopsis(header)
    print ".Ft \"" type "\"" > page
    print ".Fo " name > page
    for (i = 1; i <= count; i++) print ".Fa \"" argument[i] "\"" > page
    print ".Fc" > page
    delete seen
    if (instead != "") seen[instead] = 1
    section = required = ""
    for (i = 1; i <= n; i++) {
        if (paragraphs[i] ~ /^Requires:/) {
            required = paragraphs[i]
            sub(/^Requires: */, "", required)
            continue
        }
        if (paragraphs[i] ~ /^Returns?[ ,:]/) section = heading("RETURN VALUES")
        else if (section == "") section = heading("DESCRIPTION")
        else if (paragraphs[i] !~ /^- /) print ".Pp" > page
        text(paragraphs[i])
    }
    see_also(name)
    if (required != "") {
        heading("CAVEATS")
        text("The program promises this: " required)
    }
    close(page)
    print name "\t" about
}

function heading(title) {
    print ".Sh " title > page
    return title
}

function short_form(definition,    open, name, parameters, body, target, about) {
    sub(/^#define /, "", definition)
    open = index(definition, "(")
    name = substr(definition, 1, open - 1)
    parameters = substr(definition, open + 1)
    body = parameters
    sub(/\).*/, "", parameters)
    sub(/^[^)]*\)[ ]*/, "", body)
    target = ""
    if (match(body, /libssh2_[a-z0-9_]+\(/)) target = substr(body, RSTART, RLENGTH - 1)
    if (target == "" || target == name) return
    about = "a short form of " target "()"
    start(name, about)
    synopsis(header)
    print ".Fd \"#define " name "(" parameters ")\"" > page
    print ".Sh DESCRIPTION" > page
    print "This macro stands for" > page
    print ".Bd -literal -offset indent" > page
    print escape(body) > page
    print ".Ed" > page
    print ".Pp" > page
    print "See" > page
    print ".Xr " target " 3" > page
    print "for what it does, returns and requires." > page
    if (body ~ /strlen/) print "A text that is measured here is evaluated twice." > page
    delete seen
    seen[target] = 1
    see_also(name)
    close(page)
    print name "\t" about
}

function start(name, about) {
    page = out "/" name ".3"
    print ".\\\" Made from " header " by man/pages.awk." > page
    print ".Dd " date > page
    print ".Dt " toupper(name) " 3" > page
    print ".Os libssh2-rs" > page
    print ".Sh NAME" > page
    print ".Nm " name > page
    print ".Nd " escape(about) > page
}

function synopsis(header) {
    print ".Sh SYNOPSIS" > page
    print ".In " header > page
}

# The arguments at the outermost commas; those of a callback keep theirs.
function split_arguments(list,    i, c, depth, count, one) {
    count = depth = 0
    one = ""
    for (i = 1; i <= length(list) + 1; i++) {
        c = substr(list, i, 1)
        if (c == "(") depth++
        if (c == ")") depth--
        if ((c == "," && depth == 0) || i > length(list)) {
            gsub(/^[ ]+|[ ]+$/, "", one)
            if (one != "") argument[++count] = one
            one = ""
        } else one = one c
    }
    return count
}

function first_sentence(paragraph,    sentence) {
    sentence = paragraph
    gsub(/\n/, " ", sentence)
    gsub(/`/, "", sentence)
    gsub(/ \([^()]*(\([^()]*\)[^()]*)*\)/, "", sentence)
    if (match(sentence, /[.:;]( |$)/)) sentence = substr(sentence, 1, RSTART - 1)
    gsub(/^[ ]+|[ ]+$/, "", sentence)
    # whatis(1) shows it in one line: what comes after a comma is for the page.
    while (length(sentence) > 80 && match(sentence, /,[^,]*$/)) sentence = substr(sentence, 1, RSTART - 1)
    return tolower(substr(sentence, 1, 1)) substr(sentence, 2)
}

# A paragraph: running text, or a list of items that begin with a dash.
function text(paragraph,    lines, n, i, listing, running) {
    n = split(paragraph, lines, "\n")
    listing = 0
    running = ""
    for (i = 1; i <= n; i++) {
        if (lines[i] ~ /^- /) {
            flow(running)
            running = ""
            if (!listing++) print ".Bl -dash" > page
            print ".It" > page
            sub(/^- /, "", lines[i])
        }
        sub(/^[ ]+/, "", lines[i])
        running = running (running == "" ? "" : " ") lines[i]
    }
    flow(running)
    if (listing) print ".El" > page
}

# Running text: each sentence begins on a line of its own, and no line is longer than a screen is wide.
function flow(running,    words, n, i, line) {
    n = split(marked(running), words, " ")
    line = ""
    for (i = 1; i <= n; i++) {
        if (line != "" && length(line) + length(words[i]) + 1 > 78) {
            put(line)
            line = ""
        }
        line = line (line == "" ? "" : " ") words[i]
        if (words[i] ~ /[.!?]$/) {
            put(line)
            line = ""
        }
    }
    if (line != "") put(line)
}

function put(line) {
    print (line ~ /^[.']/ ? "\\&" : "") line > page
}

# Functions and constants in bold, arguments in italics.
function marked(line,    result, word, rest) {
    result = ""
    while (match(line, /[A-Za-z_][A-Za-z0-9_]*(\(\))?|`[^`]*`/)) {
        word = substr(line, RSTART, RLENGTH)
        result = result escape(substr(line, 1, RSTART - 1))
        rest = substr(line, RSTART + RLENGTH)
        if (word ~ /^`/) word = "\\fB" escape(substr(word, 2, length(word) - 2)) "\\fR"
        else if (word ~ /^libssh2_[a-z0-9_]*\(\)$/) {
            sub(/\(\)$/, "", word)
            seen[word] = 1
            word = "\\fB" word "\\fR(3)"
        } else if (word ~ /\(\)$/ || word ~ /^(LIBSSH2|SSH|SSH_)[A-Z0-9_]+$/) word = "\\fB" word "\\fR"
        else if (word in is_argument) word = "\\fI" word "\\fR"
        result = result word
        line = rest
    }
    return result escape(line)
}

function escape(line) {
    gsub(/\\/, "\\e", line)
    return line
}

function see_also(name,    other, names, n, i, j, swap) {
    n = 0
    delete names
    for (other in seen) if (other != name) names[++n] = other
    names[++n] = "libssh2"
    for (i = 1; i <= n; i++)
        for (j = i + 1; j <= n; j++)
            if (names[j] < names[i]) {
                swap = names[i]
                names[i] = names[j]
                names[j] = swap
            }
    print ".Sh SEE ALSO" > page
    for (i = 1; i <= n; i++) print ".Xr " names[i] " 3" (i < n ? " ," : "") > page
}
