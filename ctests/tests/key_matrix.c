/* Logging in with keys of every type and size, in every format, with every encryption that ssh-keygen and openssl know:
 * public key given or derived, from files and from memory, with the right passphrase, a wrong one and none. */
#include "harness.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

enum source { FROM_FILE, FROM_MEMORY };
enum way { PLAIN, ENCRYPTED, LEGACY };

struct form {
    char type[16], name[48];
    enum way way;
};

static struct conn *greeted(void)
{
    struct conn *c = conn_new();
    conn_handshake(c);
    return c;
}

static const char *path_of(const char *type, const char *ending)
{
    static char name[2][100];
    static int turn;
    turn = !turn;
    snprintf(name[turn], sizeof(name[turn]), "matrix/%s.%s", type, ending);
    return key_path(name[turn]);
}

static int try_key(struct conn *c, enum source source, const char *public_file,
                   const char *private_file, const char *passphrase)
{
    const char *user = user_name();
    if(source == FROM_FILE)
        return CALL(c, libssh2_userauth_publickey_fromfile(c->session, user, public_file,
                                                           private_file, passphrase));
    size_t public_size = 0, private_size;
    char *public_key = public_file ? read_whole(public_file, &public_size) : NULL;
    char *private_key = read_whole(private_file, &private_size);
    if(!private_key)
        bail("%s is not there", private_file);
    int rc = CALL(c, libssh2_userauth_publickey_frommemory(
                         c->session, user, strlen(user), public_key, public_size, private_key,
                         private_size, passphrase));
    free(public_key);
    free(private_key);
    return rc;
}

static const char *way_name(enum source source, bool with_public)
{
    return source == FROM_FILE ? with_public ? "file, public given" : "file, public derived"
           : with_public       ? "memory, public given"
                               : "memory, public derived";
}

static void accepted(const struct form *form, enum source source, bool with_public)
{
    struct conn *c = greeted();
    /* One that is not needed is ignored. */
    const char *passphrase = form->way != PLAIN ? "secret" : with_public ? "not needed" : NULL;
    int rc = try_key(c, source, with_public ? path_of(form->type, "pub") : NULL,
                     path_of(form->type, form->name), passphrase);
    const char *way = way_name(source, with_public);
    if(strcmp(form->name, "openssh-3des-cbc") == 0) /* the original knows all the others */
        ok(ours ? rc == 0 : rc < 0, "%s %s from %s: %s", form->type, form->name, way, error_name(rc));
    else {
        trace_rc(c, rc, "%s %s from %s", form->type, form->name, way);
        ok(rc == 0, "%s %s from %s is accepted", form->type, form->name, way);
    }
    is_number(libssh2_userauth_authenticated(c->session), rc == 0, "is in");
    conn_drop(c);
}

/* On a connection that is shared, since none of this gets in. */
static void refused(struct conn *c, const struct form *form, const char *passphrase)
{
    for(int n = 0; n < 4; n++) {
        enum source source = n % 2 ? FROM_MEMORY : FROM_FILE;
        bool with_public = n / 2;
        int rc = try_key(c, source, with_public ? path_of(form->type, "pub") : NULL,
                         path_of(form->type, form->name), passphrase);
        char what[200];
        snprintf(what, sizeof(what), "%s %s from %s, passphrase %s", form->type, form->name,
                 way_name(source, with_public), passphrase ? passphrase : "none");
        if(with_public) {
            trace_rc(c, rc, "%s", what);
            is_number(rc, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, what);
        } else /* what the original says depends on what its crypto library has met before */
            ok(rc == LIBSSH2_ERROR_KEYFILE_AUTH_FAILED || (!ours && rc == LIBSSH2_ERROR_FILE),
               "%s: %s", what, error_name(rc));
    }
}

/* What libcrypto opens only with the provider that nobody has loaded. */
static void needs_provider(struct conn *c, const struct form *form)
{
    for(enum source source = FROM_FILE; source <= FROM_MEMORY; source++) {
        int rc = try_key(c, source, NULL, path_of(form->type, form->name), "secret");
        /* Of DES in the old PEM nothing tells it from a wrong passphrase. */
        ok(rc == LIBSSH2_ERROR_FILE ||
               (strcmp(form->name, "pem-des") == 0 && rc == LIBSSH2_ERROR_KEYFILE_AUTH_FAILED),
           "%s %s: %s", form->type, form->name, error_name(rc));
    }
}

static void all_forms(void)
{
    static const char *const ways[] = { "plain", "encrypted", "legacy" };
    FILE *list = fopen(key_path("matrix/list"), "r");
    struct form form;
    char way[16];
    int count = 0;
    if(!list)
        bail("key_matrix.sh has not been run");
    struct conn *shared = greeted();
    while(fscanf(list, "%15s %47s %15s", form.type, form.name, way) == 3) {
        for(form.way = PLAIN; strcmp(ways[form.way], way) != 0; form.way++)
            if(form.way == LEGACY)
                bail("%s?", way);
        if(form.way == LEGACY) {
            needs_provider(shared, &form);
            continue;
        }
        /* All ways, one after the other; what is not encrypted is not met again below. */
        bool with_public = count % 2, in_memory = count++ / 2 % 2;
        accepted(&form, in_memory ? FROM_MEMORY : FROM_FILE, with_public);
        if(form.way == PLAIN)
            accepted(&form, in_memory ? FROM_FILE : FROM_MEMORY, !with_public);
        else {
            refused(shared, &form, "wrong");
            refused(shared, &form, NULL);
        }
    }
    fclose(list);
    ok(count >= 90, "%d forms of keys", count);
    ok(libssh2_userauth_authenticated(shared->session) == 0, "no wrong passphrase has let anybody in");
    accepted(&(struct form){ "ed25519", "openssh", PLAIN }, FROM_FILE, false);
    conn_drop(shared);
}

/* --- an RSA key of 16384 bits --- */

/* Nobody waits for two primes of 8192 bits; but two are well known, as groups for key exchange. */
static BIGNUM *known_prime(const char *group)
{
    BIGNUM *prime = NULL;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("group", (char *)group, 0),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
    EVP_PKEY *key = NULL;
    if(EVP_PKEY_paramgen_init(context) != 1 || EVP_PKEY_CTX_set_params(context, params) != 1 ||
       EVP_PKEY_paramgen(context, &key) != 1 || EVP_PKEY_get_bn_param(key, "p", &prime) != 1)
        bail("no group %s", group);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
    return prime;
}

static EVP_PKEY *huge_key(void)
{
    BN_CTX *scratch = BN_CTX_new();
    BIGNUM *p = known_prime("modp_8192"), *q = known_prime("ffdhe8192"), *n = BN_new(), *e = BN_new(),
           *d = BN_new(), *below_p = BN_dup(p), *below_q = BN_dup(q), *both = BN_new();
    BIGNUM *dp = BN_new(), *dq = BN_new(), *inverse = BN_new();
    BN_sub_word(below_p, 1);
    BN_sub_word(below_q, 1);
    BN_mul(n, p, q, scratch);
    BN_mul(both, below_p, below_q, scratch);
    BN_set_word(e, 65537);
    if(BN_num_bits(n) != 16384 || !BN_mod_inverse(d, e, both, scratch) ||
       !BN_mod_inverse(inverse, q, p, scratch))
        bail("the primes do not fit");
    BN_mod(dp, d, below_p, scratch);
    BN_mod(dq, d, below_q, scratch);
    const struct {
        const char *name;
        const BIGNUM *number;
    } parts[] = { { "n", n },
                  { "e", e },
                  { "d", d },
                  { OSSL_PKEY_PARAM_RSA_FACTOR1, p },
                  { OSSL_PKEY_PARAM_RSA_FACTOR2, q },
                  { OSSL_PKEY_PARAM_RSA_EXPONENT1, dp },
                  { OSSL_PKEY_PARAM_RSA_EXPONENT2, dq },
                  { OSSL_PKEY_PARAM_RSA_COEFFICIENT1, inverse } };
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    for(size_t i = 0; i < COUNT(parts); i++)
        OSSL_PARAM_BLD_push_BN(builder, parts[i].name, parts[i].number);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;
    if(EVP_PKEY_fromdata_init(context) != 1 ||
       EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) != 1)
        bail("no key of 16384 bits");
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    BIGNUM *all[] = { p, q, n, e, d, below_p, below_q, both, dp, dq, inverse };
    for(size_t i = 0; i < COUNT(all); i++)
        BN_free(all[i]);
    BN_CTX_free(scratch);
    return key;
}

static void the_largest(void)
{
    static const char *const forms[] = { "pem", "pkcs8", "openssh" };
    EVP_PKEY *key = huge_key();
    char command[900];
    BIO *pem = BIO_new_file(temp_path("huge.pem"), "w"), *pkcs8 = BIO_new_file(temp_path("huge.pkcs8"), "w");
    if(PEM_write_bio_PrivateKey_traditional(pem, key, NULL, NULL, 0, NULL, NULL) != 1 ||
       PEM_write_bio_PrivateKey(pkcs8, key, NULL, NULL, 0, NULL, NULL) != 1)
        bail("the key can not be written");
    BIO_free(pem);
    BIO_free(pkcs8);
    EVP_PKEY_free(key);
    snprintf(command, sizeof(command),
             "cd '%s' && chmod 600 huge.pem && cp -p huge.pem huge.openssh && "
             "ssh-keygen -q -p -P '' -N '' -f huge.openssh >/dev/null && "
             "ssh-keygen -y -f huge.pem >huge.pub",
             temp_path("."));
    if(run((const char *const[]){ "sh", "-c", command, NULL }) != 0)
        bail("ssh-keygen does not take a key of 16384 bits");
    snprintf(command, sizeof(command), "AuthorizedKeysFile %s\n", temp_path("huge.pub"));
    server_config(command);
    for(size_t i = 0; i < COUNT(forms); i++) {
        char name[20];
        snprintf(name, sizeof(name), "huge.%s", forms[i]);
        struct conn *c = greeted();
        c->limit_ms *= slowness(); /* all of it is arithmetic */
        int rc = try_key(c, i % 2 ? FROM_MEMORY : FROM_FILE, i ? temp_path("huge.pub") : NULL,
                         temp_path(name), NULL);
        trace_rc(c, rc, "RSA of 16384 bits, %s", forms[i]);
        is_number(rc, 0, forms[i]);
        conn_drop(c);
    }
}

void test(void)
{
    char config[400];
    watchdog(140);
    snprintf(config, sizeof(config), "AuthorizedKeysFile %s\nMaxAuthTries 10000\n",
             key_path("matrix/authorized_keys"));
    server_config(config);
    all_forms();
    the_largest();
}
