// libgit2 1.5 leaks what PCRE2 needs to match a refspec: some bytes a fetch, in a process that ends after it.
// NOLINTBEGIN(bugprone-reserved-identifier): the names are the sanitizer's
extern "C" [[gnu::visibility("default")]] const char* __lsan_default_suppressions();

extern "C" const char* __lsan_default_suppressions() { return "leak:libpcre2\nleak:pcre2_match\n"; }
// NOLINTEND(bugprone-reserved-identifier)
