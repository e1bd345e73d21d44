#!/bin/bash
# Stands in for a NETCONF server (RFC 6242, messages that end with "]]>]]>"): says hello, and answers a request with
# what was asked for.
printf '%s\n' '<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities>' \
    '<capability>urn:ietf:params:netconf:base:1.0</capability>' '</capabilities></hello>' ']]>]]>'
message=
while IFS= read -r line; do
    if [ "$line" != ']]>]]>' ]; then
        message+=$line
        continue
    fi
    if [[ $message =~ '<rpc '[^\>]*'>'(.*)'</rpc>' ]]; then
        printf '%s\n' "<rpc-reply>${BASH_REMATCH[1]}</rpc-reply>" ']]>]]>'
    fi
    message=
done
