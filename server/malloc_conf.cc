// What jemalloc is told. Among millions of tokens a look-up waits for the
// processor to find its pages more than for anything else.
extern "C" const char* malloc_conf;
const char* malloc_conf = "thp:always,metadata_thp:auto";
