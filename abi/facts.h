// Tells what the facts that facts.awk lists come to, for whichever headers this is compiled with (C++17). Types are told by
// the names that compilers give them, in which no typedef is left: two that read alike are one type.
#include <cstddef>
#include <cstdio>
#include <typeinfo>

#include <libssh2.h>
#include <libssh2_publickey.h>
#include <libssh2_sftp.h>
#include <unistd.h>

// A macro of the same name as this type.
#undef libssh2_publickey_attribute

static void tell(const char *value)
{
    std::printf(" is \"%s\"\n", value);
}

template <typename T>
static void tell(T value)
{
    std::printf(" is %lld\n", static_cast<long long>(value));
}

#define FUNCTION(function) std::printf("function %s: %s\n", #function, typeid(decltype(function)).name());
#define DEPRECATED(function) std::printf("%s is retired\n", #function);
// A pointer, since some are incomplete on purpose.
#define TYPE(type) std::printf("type %s: %s\n", #type, typeid(type *).name());
#define SIZE(type) std::printf("%s has %zu bytes, aligned to %zu\n", #type, sizeof(type), alignof(type));
#define MEMBER(type, member)                                                                                        \
    std::printf("%s.%s at %zu: %s\n", #type, #member, offsetof(type, member),                                       \
                typeid(decltype((static_cast<type *>(nullptr))->member)).name());
#define ENUMERATOR(name) std::printf("enumerator %s is %d\n", #name, static_cast<int>(name));
#define VALUE(macro)                                                                                                \
    std::printf("macro %s, %s", #macro, typeid(decltype(macro)).name());                                            \
    tell(macro);
#define CALLBACK(macro)                                                                                             \
    {                                                                                                               \
        extern macro(declared_by_##macro);                                                                          \
        std::printf("callback %s: %s\n", #macro, typeid(decltype(declared_by_##macro)).name());                     \
    }
#define MODE(name)                                                                                                  \
    for (unsigned long mode = 0; mode < 0200000; mode += 010000)                                                    \
        std::printf("%s(%06lo) is %d\n", #name, mode, name(mode) != 0);
#define FLAG(name) std::printf("macro %s is defined\n", #name);
// What these stand for is ctests/abi/macros.c's to compare, which calls them.
#define SHORT(name, parameters) std::printf("short form %s has %d parameters\n", #name, parameters);
#define OTHER(name, parameters) std::printf("macro %s has %d parameters\n", #name, parameters);

int main()
{
#include "facts.inc"
    return 0;
}
