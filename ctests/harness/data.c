/* Test data and the files that it ends up in. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

char *make_data(size_t size, uint64_t seed)
{
    char *data = malloc(size + 8);
    uint64_t state = seed * 2 + 1;
    if(!data)
        bail("no memory for %zu bytes", size);
    for(size_t at = 0; at < size; at += 8) { /* xorshift64* */
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        uint64_t value = state * 0x2545F4914F6CDD1DULL;
        memcpy(data + at, &value, 8);
    }
    return data;
}

long long file_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (long long)st.st_size : -1;
}

char *read_whole(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if(!file)
        return NULL;
    long long length = file_size(path);
    char *data = malloc((size_t)length + 1);
    if(!data)
        bail("no memory for %s", path);
    *size = fread(data, 1, (size_t)length, file);
    data[*size] = '\0';
    fclose(file);
    return data;
}

void write_whole(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    if(!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        bail("can not write %s", path);
}

bool file_is(const char *path, const void *data, size_t size)
{
    size_t got;
    char *content = read_whole(path, &got);
    bool same = content && got == size && memcmp(content, data, size) == 0;
    if(!same)
        diag("%s: %zd bytes instead of %zu, or other content", path, content ? (ssize_t)got : -1,
             size);
    free(content);
    return same;
}
