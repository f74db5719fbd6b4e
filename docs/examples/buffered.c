// buffered.c - a buffered channel: sends park only when it is full, receives only when it is empty.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// With room for two values main can send twice before anybody receives. After csp_close the values still inside can be
// received; then csp_recv returns false.
#include <csp/csp.h>

#include <stdio.h>

int main(void)
{
    csp_chan *words = csp_chan_new(sizeof(const char *), 2);
    const char *word = "buffered";
    csp_send(words, &word);
    word = "channel";
    csp_send(words, &word);
    printf("%zu of %zu places are taken\n", csp_len(words), csp_cap(words));

    csp_close(words);
    while (csp_recv(words, &word))
        printf("%s\n", word);
    csp_chan_free(words);
    return 0;
}
