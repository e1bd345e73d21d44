#include "libssh2.h"

/* One entry of an array of attributes, with the comma that ends it. The second form is for string literals. */
#define libssh2_publickey_attribute(name, value, mandatory) \
    { (name), strlen(name), (value), strlen(value), (mandatory) },
#define libssh2_publickey_attribute_fast(name, value, mandatory) \
    { (name), sizeof(name) - 1, (value), sizeof(value) - 1, (mandatory) },

/* Shorter forms of the functions below, for key types that are terminated texts. */
#define libssh2_publickey_add(pkey, name, blob, blob_len, overwrite, num_attrs, attrs) \
    libssh2_publickey_add_ex((pkey), \
                             (const unsigned char *)(name), strlen((const char *)(name)), \
                             (blob), (blob_len), (overwrite), (num_attrs), (attrs))
#define libssh2_publickey_remove(pkey, name, blob, blob_len) \
    libssh2_publickey_remove_ex((pkey), \
                                (const unsigned char *)(name), strlen((const char *)(name)), \
                                (blob), (blob_len))
