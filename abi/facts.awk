# Lists what libssh2's headers define and declare, as calls of macros that abi/facts.h has. The input is what
# `cpp -dD` says of the headers themselves: declarations that are preprocessed, and the #define lines between them.
#
#   FUNCTION(name)  DEPRECATED(name)        a function, and that it is retired
#   TYPE(name)  SIZE(name)  MEMBER(type, member)  ENUMERATOR(name)
#   VALUE(macro)  FLAG(macro)               macros that stand for something and for nothing
#   CALLBACK(macro)  MODE(macro)            macros that declare a function; that tell a kind of file
#   SHORT(macro, parameters)  OTHER(macro, parameters)

/^#define / {
    macro()
    next
}
/^#/ { next }
{ text = text " " $0 }

END {
    gsub(/"([^"\\]|\\.)*"/, "", text)
    depth = 0
    statement = ""
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == "{") depth++
        if (c == "}") depth--
        if (c == ";" && depth == 0) {
            declaration(statement)
            statement = ""
        } else statement = statement c
    }
}

function macro(    definition, name, parameters, count) {
    definition = substr($0, length("#define ") + 1)
    match(definition, /^[A-Za-z0-9_]+/)
    name = substr(definition, 1, RLENGTH)
    definition = substr(definition, RLENGTH + 1)
    if (definition ~ /^\(/) {
        parameters = definition
        sub(/\).*/, "", parameters)
        count = parameters ~ /[a-z]/ ? gsub(/,/, "", parameters) + 1 : 0
        if (name ~ /_FUNC$/) print "CALLBACK(" name ")"
        else if (name ~ /_S_IS/) print "MODE(" name ")"
        else if (name ~ /^libssh2/) print "SHORT(" name ", " count ")"
        else print "OTHER(" name ", " count ")"
    } else print (definition ~ /[^ ]/ ? "VALUE(" : "FLAG(") name ")"
}

function declaration(statement,    body, name, first, last) {
    gsub(/[ \t]+/, " ", statement)
    sub(/^ /, "", statement)
    first = index(statement, "{")
    if (first) {
        last = length(statement)
        while (substr(statement, last, 1) != "}") last--
        body = substr(statement, first + 1, last - first - 1)
        name = statement ~ /^typedef/ ? last_name(substr(statement, last + 1)) \
                                      : last_name(substr(statement, 1, first - 1))
        print "TYPE(" name ")"
        print "SIZE(" name ")"
        if (statement ~ /^(typedef )?enum/) enumerators(body)
        else members(name, "", body)
    } else if (statement ~ /^typedef/) {
        name = statement
        if (match(name, /\( ?\*? ?[A-Za-z0-9_]+ ?\) ?\(/)) name = substr(name, RSTART, RLENGTH)
        print "TYPE(" last_name(name) ")"
    } else if (match(statement, /libssh2_[a-z0-9_]+ ?\(/)) {
        name = last_name(substr(statement, RSTART, RLENGTH))
        print "FUNCTION(" name ")"
        if (statement ~ /deprecated/) print "DEPRECATED(" name ")"
    }
}

function last_name(words) {
    gsub(/[^A-Za-z0-9_]+/, " ", words)
    gsub(/^ | $/, "", words)
    sub(/.* /, "", words)
    return words
}

function enumerators(body,    names, count, i) {
    count = split(body, names, ",")
    for (i = 1; i <= count; i++) {
        sub(/=.*/, "", names[i])
        if (names[i] ~ /[a-z]/) print "ENUMERATOR(" last_name(names[i]) ")"
    }
}

# The members of a struct; those of a struct or union within by their whole way.
function members(type, way, body,    i, c, depth, member, inner, name) {
    depth = 0
    member = inner = ""
    for (i = 1; i <= length(body); i++) {
        c = substr(body, i, 1)
        if (c == "}") depth--
        if (depth > 0) inner = inner c
        else if (c == ";") {
            name = member
            if (match(name, /\( ?\* ?[A-Za-z0-9_]+ ?\)/)) name = substr(name, RSTART, RLENGTH)
            sub(/\[.*/, "", name)
            name = way last_name(name)
            if (inner != "") members(type, name ".", inner)
            else print "MEMBER(" type ", " name ")"
            member = inner = ""
        } else member = member c
        if (c == "{") depth++
    }
}
