// Recorded with OpenSSH 9.2: each signature is over `payload` in the namespace "git" unless its name says otherwise.
// Those of security keys were made without a device, by the rules of PROTOCOL.u2f; ssh-keygen agrees with them (below).
// The private keys are gone.
#include "git/ssh_signature.hpp"

#include <array>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <functional>
#include <random>
#include <time.h>

#include "base/hash.hpp"
#include "support/process.hpp"
#include "support/temporary_directory.hpp"

using namespace graft;
using git::AllowedSigners;
using git::verify_ssh_signature;

namespace {

constexpr std::string_view payload = R"(tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904
author Ada <ada@example.com> 1764000000 +0000
committer Ada <ada@example.com> 1764000000 +0000

Add the dashboards
)";
constexpr WallTime signing_time{std::chrono::seconds{1'764'000'000}};  // 2025-11-24T16:00:00Z

struct Vector {
  std::string_view name, key, fingerprint, signature;
};

constexpr std::string_view ed25519_key =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAII9TpmiKnnMjZ7qIfhsVE5mTACGrV8KtTk50j81+VaI/";
constexpr std::string_view ecdsa256_key =
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBOkZtcMOyMeKuLInbFq9tI8tp2Zm"
    "tKO/Q//eQlMp/Dnun1+k+16m7EOkhClV25SXB+V15osfFdMTSXVyiRyJSlA=";
constexpr std::string_view ecdsa384_key =
    "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBMTm3dNZ7pJfeXq4+jysyHJo33Lv"
    "tMjy634slhF2Kq1k0onIVS0XNZ//XFm0H98mLCePPqsf9jmN2bdAHBkN6HgBFdsXl+oec8eCP1zEif3A9pUat9CYS+77aTYGeV2q"
    "Sg==";
constexpr std::string_view ecdsa521_key =
    "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAGDaAAzgBUEg7Fz+rGpv26M8JAL"
    "NK/6EpI7m5aUdYqqia9bo+VzIjNaY1q+aPPajJBw3tg5nlID8C9JkD8LqMkY3QEfxSUiBH4kPVSJ0Q0LvaF2KcGbkJFCT2cY//hE"
    "Sqw8szfbWj69K6bycdyKlEEjVqcJg8ca/rQ0ONEtFkD/nYxTNw==";
constexpr std::string_view rsa2048_key =
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCYt3CPMDdg5tPttPsBkOh/B3JJmW9/jmtHISMpnC1hDJgMu61dvCokdUU1P/u2"
    "B068DoZxpBh+NiHqkmtdsJC8P7P7hHdid+waZWVb2plfylAF9R3G9qh3xAe3ZOGmq9TsGzxGI1797lA1fA+yZEQOByFm+rbzZ0OC"
    "bGXSrzwSeJFDW87DcmR5xxjiGxtPzpF+0xMy3tJCzE1yYkluJJ8iROCNVuWIX39GxNJhQshUeqpxR6y3L2Ms+9acVAXFn10OrGGs"
    "ekfgMvtGMq4nVQijSDuuEK+BbGiRAbprkdKuNFhL1mBTlHQjlHfGUBb/SEH6pnsT9Fnl/EZ9cZ8o2ePT";
constexpr std::string_view rsa1024_key =
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDLRw9ioMNbL5z+1T+dAL6FHI3YtKzV1mhCB1yMRUOBuUd7s4fV7d0x0ScIvNcE"
    "njSFpFfk3M/ibyq8FhtxLS6U+SfdCFcgTYgP4Dp583hJ8GPVTknIEnA4nvt9dG6ZMSLGsfSgzO8hFvoGsyAE7Jgld1n9AJ9sZOSt"
    "pl0O3tD9mw==";
constexpr std::string_view sked25519_key =
    "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIFwKHQzvqXdxJl0ilCqT+UXcnXa/M"
    "e0IrWdMJRwksuUtAAAABHNzaDo=";
constexpr std::string_view skecdsa256_key =
    "sk-ecdsa-sha2-nistp256@openssh.com AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlzdHAyN"
    "TYAAABBBO+Zf2NP9QI19eg74ySdop8fRoic9vj43JtmbC/SORk6yjaxPT1Z2SZD0WXs9F6clJkeXgsmGQLx4axbWFIElTEAAAAEc"
    "3NoOg==";

constexpr Vector vectors[]{
    {"ssh-ed25519", ed25519_key, "SHA256:IKIgJTsrAhIeB1i+hG6M6ymcAKqNzydHQ9IrDtkcrBQ",
     R"(-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgj1OmaIqecyNnuoh+GxUTmZMAIa
tXwq1OTnSPzX5Voj8AAAADZ2l0AAAAAAAAAAZzaGE1MTIAAABTAAAAC3NzaC1lZDI1NTE5
AAAAQNczw8mKjECXIKbvUR79+GbNE7W4fTHFDeHeTAZr1CCoQJ8O0q4THwDsa+o1iRF5v2
K5QXptMlQKom03ljx+dQ0=
-----END SSH SIGNATURE-----
)"},
    {"ssh-ed25519 over SHA-256", ed25519_key, "SHA256:IKIgJTsrAhIeB1i+hG6M6ymcAKqNzydHQ9IrDtkcrBQ",
     R"(-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgj1OmaIqecyNnuoh+GxUTmZMAIa
tXwq1OTnSPzX5Voj8AAAADZ2l0AAAAAAAAAAZzaGEyNTYAAABTAAAAC3NzaC1lZDI1NTE5
AAAAQKuZJH74DlAjx10tywzNo7ft1mcZQMO+ZxH0SjCN4WfdUPNn44vHbjwsRKaXTM/0vf
V9GNHaxDPWwFoDsK8zKQs=
-----END SSH SIGNATURE-----
)"},
    {"ecdsa-sha2-nistp256", ecdsa256_key, "SHA256:V86yldIKHebNeTdjQHpsPZDmx/7ydEclYv4O3OopfKU",
     R"(-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAAGgAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAAhuaXN0cDI1NgAAAE
EE6Rm1ww7Ix4q4sidsWr20jy2nZma0o79D/95CUyn8Oe6fX6T7XqbsQ6SEKVXblJcH5XXm
ix8V0xNJdXKJHIlKUAAAAANnaXQAAAAAAAAABnNoYTUxMgAAAGUAAAATZWNkc2Etc2hhMi
1uaXN0cDI1NgAAAEoAAAAhAMQtgP4ZDXF4lQWoyqzrnyNaMYRFAdgxG8/dcndHIhVuAAAA
IQCN5rlOYPYYiKapYH0cD/HxFRdl66Lo52puHGGMtc4VWA==
-----END SSH SIGNATURE-----
)"},
    {"ecdsa-sha2-nistp384", ecdsa384_key, "SHA256:mE5+27hElM0q12G5kx0jXC8VgC7iWEtLgkrZxzpaJKQ",
     R"(-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAAIgAAAATZWNkc2Etc2hhMi1uaXN0cDM4NAAAAAhuaXN0cDM4NAAAAG
EExObd01nukl95erj6PKzIcmjfcu+0yPLrfiyWEXYqrWTSichVLRc1n/9cWbQf3yYsJ48+
qx/2OY3Zt0AcGQ3oeAEV2xeX6h5zx4I/XMSJ/cD2lRq30JhL7vtpNgZ5XapKAAAAA2dpdA
AAAAAAAAAGc2hhNTEyAAAAhQAAABNlY2RzYS1zaGEyLW5pc3RwMzg0AAAAagAAADEAnF8D
NR573QE+lDHuhVZI/62CCAdglhtlWMrv+gERsyqgK7F4WCLil6UsOAQI6GzOAAAAMQC4Zn
KbK5MQem8RAvVhQmTcRdv17g/dYNfgP3uLqYZjzg5mn0TnR33UqdRAlVct+Vg=
-----END SSH SIGNATURE-----
)"},
    {"ecdsa-sha2-nistp521", ecdsa521_key, "SHA256:DVLTbmlKAARZwTxuMoQn1PH3lZbZfQ77ybkiPIGVB7M",
     R"(-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAAKwAAAATZWNkc2Etc2hhMi1uaXN0cDUyMQAAAAhuaXN0cDUyMQAAAI
UEAYNoADOAFQSDsXP6sam/bozwkAs0r/oSkjublpR1iqqJr1uj5XMiM1pjWr5o89qMkHDe
2DmeUgPwL0mQPwuoyRjdAR/FJSIEfiQ9VInRDQu9oXYpwZuQkUJPZxj/+ERKrDyzN9taPr
0rpvJx3IqUQSNWpwmDxxr+tDQ40S0WQP+djFM3AAAAA2dpdAAAAAAAAAAGc2hhNTEyAAAA
pgAAABNlY2RzYS1zaGEyLW5pc3RwNTIxAAAAiwAAAEIBJUHTfGMM+zNRSGBNWGmM0uRA06
Xmd+VuW/RHgQZu0/z+DvGcj1r9GdpVw/K78IkdRnr0XDDM03FfPP/etsEH1N8AAABBbsO+
IQdMMhN0pR8QBeeUs8wjZC5JWjW+e24mQq9C0BogH8Th7R+zMbW7haLjwGlfLKf6jGzRtr
Xf053NA8dWCvg=
-----END SSH SIGNATURE-----
)"},
    {"ssh-rsa, rsa-sha2-512", rsa2048_key, "SHA256:rPq3nV3ZlhTeYx/rfuS04YUSIMe8Ifa1qWBdTyz//MA",
     R"(-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAARcAAAAHc3NoLXJzYQAAAAMBAAEAAAEBAJi3cI8wN2Dm0+20+wGQ6H
8HckmZb3+Oa0chIymcLWEMmAy7rV28KiR1RTU/+7YHTrwOhnGkGH42IeqSa12wkLw/s/uE
d2J37BplZVvamV/KUAX1Hcb2qHfEB7dk4aar1OwbPEYjXv3uUDV8D7JkRA4HIWb6tvNnQ4
JsZdKvPBJ4kUNbzsNyZHnHGOIbG0/OkX7TEzLe0kLMTXJiSW4knyJE4I1W5Yhff0bE0mFC
yFR6qnFHrLcvYyz71pxUBcWfXQ6sYax6R+Ay+0YyridVCKNIO64Qr4FsaJEBumuR0q40WE
vWYFOUdCOUd8ZQFv9IQfqmexP0WeX8Rn1xnyjZ49MAAAADZ2l0AAAAAAAAAAZzaGE1MTIA
AAEUAAAADHJzYS1zaGEyLTUxMgAAAQBgeFV98oVnPVtTHAFyzqTkF+JILNdRaV8VcENdMJ
upsyZdnEnHtL75q9YevUFLxmTp5/17paW1vfZQcxqx1NhFRuHCwrk/URRXZSkUpNScu1Jh
E4m6kOSHbwuaSjPPUOiTHMKlYeOWsyLZJAVDhsDBfvwYbrtwL5viqaxEbrii71cV8qXx2y
/baNW1tG7ncPHzJDx4neOBQ30l4FvAI+Goo2b4Ka8uMNcbHDfe0P3zngIFac1rDhDoD+tH
kkuvfYKONLSXNLfcUUojBW3LUSv/LhvrYXTw+CB0lucPHfkcJPRIa7wB4dHmOLPkHLo/GM
lhVkyAgSaQqgzbVsWIZtIU
-----END SSH SIGNATURE-----
)"},
    {"ssh-rsa, rsa-sha2-256", rsa2048_key, "SHA256:rPq3nV3ZlhTeYx/rfuS04YUSIMe8Ifa1qWBdTyz//MA",
     R"(-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAARcAAAAHc3NoLXJzYQAAAAMBAAEAAAEBAJi3cI8wN2Dm0+20+wGQ6H
8HckmZb3+Oa0chIymcLWEMmAy7rV28KiR1RTU/+7YHTrwOhnGkGH42IeqSa12wkLw/s/uE
d2J37BplZVvamV/KUAX1Hcb2qHfEB7dk4aar1OwbPEYjXv3uUDV8D7JkRA4HIWb6tvNnQ4
JsZdKvPBJ4kUNbzsNyZHnHGOIbG0/OkX7TEzLe0kLMTXJiSW4knyJE4I1W5Yhff0bE0mFC
yFR6qnFHrLcvYyz71pxUBcWfXQ6sYax6R+Ay+0YyridVCKNIO64Qr4FsaJEBumuR0q40WE
vWYFOUdCOUd8ZQFv9IQfqmexP0WeX8Rn1xnyjZ49MAAAADZ2l0AAAAAAAAAAZzaGE1MTIA
AAEUAAAADHJzYS1zaGEyLTI1NgAAAQAvfgmAlGe6//c3+4SUMyC00+KrDj2fUFhDwk2fsA
d2PutT0SnWmgMm+dTS0MBNRqo+4CqFYpLJT7sguppiEnqFacZT29skgkwghOFu0MRkGUm3
u55B/DgLOLEH1jjJXgtATPZVFPW2b3McpYEW/NtDmtjiTQC/hUzFWRSrIfAO71dtQ2g7hz
cvtkhQBbz+fNNy1dFSf7ya/K8lsnv4RE1P/LY1CXussJVkRubL4Dqe0hlCbTrlYUwSlgMH
9bsU/KsTfp7XhMKTEz1+aji+OiQu0PLuyna94Us7gGoD7oKhJkEjdoHb4Gu/ipfLD5QkYB
kV/0I4IMI9ldtAAVF6hv9d
-----END SSH SIGNATURE-----
)"},
    {"sk-ssh-ed25519", sked25519_key, "SHA256:f+i8GbzJ/hUci7QLW5NtVNPiAEk3Zb4SCQ1dYX+9yjY",
     R"(-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAAEoAAAAac2stc3NoLWVkMjU1MTlAb3BlbnNzaC5jb20AAAAgXAodDO
+pd3EmXSKUKpP5Rdyddr8x7QitZ0wlHCSy5S0AAAAEc3NoOgAAAANnaXQAAAAAAAAABnNo
YTUxMgAAAGcAAAAac2stc3NoLWVkMjU1MTlAb3BlbnNzaC5jb20AAABAm6ymF0HVByvlUW
5nuld80dtzXz/d+aUrh/ledxyyo6VtY5T/JMQSD01wX07r+q+JCgRs0uO80RuQgUd3i7WT
BgEAAAAH
-----END SSH SIGNATURE-----
)"},
    {"sk-ecdsa-sha2-nistp256", skecdsa256_key, "SHA256:gMc6jOaQmBft89vLP1gztTHAnPN2A8gL1/cz5taXHGo",
     R"(-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAAH8AAAAic2stZWNkc2Etc2hhMi1uaXN0cDI1NkBvcGVuc3NoLmNvbQ
AAAAhuaXN0cDI1NgAAAEEE75l/Y0/1AjX16DvjJJ2inx9GiJz2+Pjcm2ZsL9I5GTrKNrE9
PVnZJkPRZez0XpyUmR5eCyYZAvHhrFtYUgSVMQAAAARzc2g6AAAAA2dpdAAAAAAAAAAGc2
hhNTEyAAAAdwAAACJzay1lY2RzYS1zaGEyLW5pc3RwMjU2QG9wZW5zc2guY29tAAAASAAA
ACB6UN9J0LrKZOqYMpDGVwJ4QpuND+M6dBYCq21br4s3wAAAACAaZgJTDy4lw1azvC1ACD
oAfFpeYLjqUk9t7W7E8ZSerQEAAAAH
-----END SSH SIGNATURE-----
)"},
};

constexpr std::string_view for_files = R"(-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgj1OmaIqecyNnuoh+GxUTmZMAIa
tXwq1OTnSPzX5Voj8AAAAEZmlsZQAAAAAAAAAGc2hhNTEyAAAAUwAAAAtzc2gtZWQyNTUx
OQAAAEBoL+jX3pVKr1FGTaDifq9qXmXv4HUrBwIbnhF2HgcYBdHDUCvdri8kYPoZURJ+EU
5H2xpvPRxwnXCfz12HZs0J
-----END SSH SIGNATURE-----
)";

constexpr std::string_view by_certificate = R"(-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAAUAAAAAgc3NoLWVkMjU1MTktY2VydC12MDFAb3BlbnNzaC5jb20AAA
AgNpkz8LsV1FBkIqw5aEXdwdJhh90K1JpxsDG7DN0/r4sAAAAgj1OmaIqecyNnuoh+GxUT
mZMAIatXwq1OTnSPzX5Voj8AAAAAAAAAAAAAAAEAAAADYWRhAAAAEwAAAA9hZGFAZXhhbX
BsZS5jb20AAAAAAAAAAP//////////AAAAAAAAAAAAAAAAAAAAMwAAAAtzc2gtZWQyNTUx
OQAAACBX4/afKyu/LMiJYGSjsqHk8sakebOAVEheXnpguHFqWwAAAFMAAAALc3NoLWVkMj
U1MTkAAABAfvN3PQ9i/gG1x2MR5LUTH5sbEAtc8duVmeONKP5SiH6668RVqzN4TUtFMuXE
fOWyr3TqcP4bX229p36smufnCAAAAANnaXQAAAAAAAAABnNoYTUxMgAAAFMAAAALc3NoLW
VkMjU1MTkAAABA1zPDyYqMQJcgpu9RHv34Zs0Ttbh9McUN4d5MBmvUIKhAnw7SrhMfAOxr
6jWJEXm/YrlBem0yVAqibTeWPH51DQ==
-----END SSH SIGNATURE-----
)";

constexpr std::string_view over_sha1 = R"(-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAARcAAAAHc3NoLXJzYQAAAAMBAAEAAAEBAJi3cI8wN2Dm0+20+wGQ6H
8HckmZb3+Oa0chIymcLWEMmAy7rV28KiR1RTU/+7YHTrwOhnGkGH42IeqSa12wkLw/s/uE
d2J37BplZVvamV/KUAX1Hcb2qHfEB7dk4aar1OwbPEYjXv3uUDV8D7JkRA4HIWb6tvNnQ4
JsZdKvPBJ4kUNbzsNyZHnHGOIbG0/OkX7TEzLe0kLMTXJiSW4knyJE4I1W5Yhff0bE0mFC
yFR6qnFHrLcvYyz71pxUBcWfXQ6sYax6R+Ay+0YyridVCKNIO64Qr4FsaJEBumuR0q40WE
vWYFOUdCOUd8ZQFv9IQfqmexP0WeX8Rn1xnyjZ49MAAAADZ2l0AAAAAAAAAAZzaGE1MTIA
AAEPAAAAB3NzaC1yc2EAAAEAcsAxxnGlP3TzcrEd9bxGYfoEVdpQcdtBpR4quV1Uz7iuKu
KOTMYgJkPQ24Ubccnb9/YyL+ZKTpmHrUoO/+vGHedzKrcrWHPcOU9GepDpL4llYZGnWu7G
VPQ1gOlq4G7q786UrAjAzKQ+OBRzNKQHegACv+pUAAvw7HcgI6j8FAQ3NW7oUyOr0SzyVV
S6hPSKZ0zt3Hir45T62OOTdAq1W3u+Xzamp/hzqlxn/1kfLQ8oziJoFxRTiM1QRXy8r74c
PAUjbUCnt7EYSBeDKdpm270nbwzcXIsSgUPDg5/DnbMxMrQgGHpnVcjI3EBtMBFsekZ6o1
zAFRVfhaegY6+gbA==
-----END SSH SIGNATURE-----
)";

constexpr std::string_view without_leading_zero = R"(-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAARcAAAAHc3NoLXJzYQAAAAMBAAEAAAEBAJi3cI8wN2Dm0+20+wGQ6H
8HckmZb3+Oa0chIymcLWEMmAy7rV28KiR1RTU/+7YHTrwOhnGkGH42IeqSa12wkLw/s/uE
d2J37BplZVvamV/KUAX1Hcb2qHfEB7dk4aar1OwbPEYjXv3uUDV8D7JkRA4HIWb6tvNnQ4
JsZdKvPBJ4kUNbzsNyZHnHGOIbG0/OkX7TEzLe0kLMTXJiSW4knyJE4I1W5Yhff0bE0mFC
yFR6qnFHrLcvYyz71pxUBcWfXQ6sYax6R+Ay+0YyridVCKNIO64Qr4FsaJEBumuR0q40WE
vWYFOUdCOUd8ZQFv9IQfqmexP0WeX8Rn1xnyjZ49MAAAADZ2l0AAAAAAAAAAZzaGE1MTIA
AAETAAAADHJzYS1zaGEyLTUxMgAAAP9Kswi9T4ZJLB045TFCiRe8vspOaf/CXYOW71fRJD
DkGekMrN4KkWPVrNeHoIPqLyUXf97M1kfW7cnuI20W/WXtX1l7gesH/i5h3VAWqXGsIec6
vkGKrcd4Htd+U2Okwn14Q0+y1aOJMixXWHuA0MFh2qm13Sbx7XKxtmEJYqH+dgNdP1cBS6
7WWyF1iDHVErerpYBJ2rVJ2dxj1k43P9WXR8mMIcHpGtAaEIcF0/TfxwvkhL3SCEbSHBXF
cvvuwMjKeagDMSHJzgXi90lWlnDYINpyBDcYPzH4lVfRaTWDfBZ/KKxbCkSz7YtmFmmqtm
fQIDIgl/dIBQccXL3pV3w=
-----END SSH SIGNATURE-----
)";

constexpr std::string_view without_leading_zero_payload = "payload 1\n";
constexpr std::string_view by_pgp = R"(-----BEGIN PGP SIGNATURE-----

iHUEABYKAB0WIQQAAAAAAAAAAAAAAAAAAAAAAAAAAAUCaQAAAAAKCRAAAAAAAAAA
-----END PGP SIGNATURE-----
)";

// --- helpers ---

AllowedSigners signers_of(const std::string& text) {
  auto parsed = AllowedSigners::parse(text, "signers");
  REQUIRE_MESSAGE(parsed.has_value(), (parsed ? "" : parsed.error().describe()));
  return std::move(*parsed);
}

AllowedSigners allowing(std::string_view key, std::string_view options = "") {
  return signers_of(fmt::format("ada@example.com {} {}\n", options, key));
}

Result<std::string> verify(std::string_view signature, const AllowedSigners& signers, WallTime at = signing_time) {
  return verify_ssh_signature(signature, payload, "git", signers, at);
}

// Checks that it is refused, with this code and these words.
void check_refused(const Result<std::string>& answer, ErrorCode code, std::string_view words) {
  REQUIRE_FALSE(answer.has_value());
  CAPTURE(answer.error().describe());
  CHECK(answer.error().code == code);
  CHECK(answer.error().describe().find(words) != std::string::npos);
}

std::string flipped(std::string_view text, std::size_t at, unsigned bits) {
  std::string out(text);
  out[at] = static_cast<char>(static_cast<unsigned char>(out[at]) ^ bits);
  return out;
}

constexpr std::string_view begin_line = "-----BEGIN SSH SIGNATURE-----\n", end_line = "-----END SSH SIGNATURE-----\n";

std::string armored(std::string_view blob) { return fmt::format("{}{}\n{}", begin_line, base64(blob), end_line); }

std::string blob_of(std::string_view signature) {
  std::string body(signature.substr(begin_line.size(), signature.size() - begin_line.size() - end_line.size()));
  std::erase(body, '\n');
  return base64_decode(body).value();
}

std::string ssh_string(std::string_view data) {
  std::string out;
  for (unsigned shift = 32; shift > 0; shift -= 8)
    out.push_back(static_cast<char>((data.size() >> (shift - 8)) & 0xffU));
  return out.append(data);
}

std::string take_string(std::string_view& rest) {
  std::size_t size = 0;
  for (const char c : rest.substr(0, 4)) size = (size << 8U) | static_cast<unsigned char>(c);
  const std::string out(rest.substr(4, size));
  rest.remove_prefix(4 + size);
  return out;
}

struct Parts {  // of a signature, to be put together in another way
  std::string head, key, name_space, reserved, hash, algorithm, value, device, tail;

  explicit Parts(std::string_view signature) {
    const std::string blob = blob_of(signature);
    std::string_view rest = blob;
    head = rest.substr(0, 10);
    rest.remove_prefix(10);
    for (std::string* part : {&key, &name_space, &reserved, &hash}) *part = take_string(rest);
    const std::string inner = take_string(rest);
    std::string_view inside = inner;
    algorithm = take_string(inside);
    value = take_string(inside);
    device = inside;
  }
  [[nodiscard]] std::string signature() const {
    return armored(head + ssh_string(key) + ssh_string(name_space) + ssh_string(reserved) + ssh_string(hash) +
                   ssh_string(ssh_string(algorithm) + ssh_string(value) + device) + tail);
  }
};

const Vector& vector_of(std::string_view name) {
  for (const Vector& vector : vectors)
    if (vector.name == name) return vector;
  throw std::logic_error("no such vector");
}

}  // namespace

TEST_CASE("a signature of each kind of key names its signer") {
  for (const Vector& vector : vectors) {
    CAPTURE(std::string(vector.name));
    const auto answer = verify(vector.signature, allowing(vector.key));
    REQUIRE_MESSAGE(answer.has_value(), (answer ? "" : answer.error().describe()));
    CHECK(*answer == "ada@example.com");
    CHECK(Parts(vector.signature).signature() == armored(blob_of(vector.signature)));  // the tests' own tools are right
    CHECK(verify(Parts(vector.signature).signature(), allowing(vector.key)).has_value());  // lines may be of any length
  }
}

TEST_CASE("a payload that was altered is refused") {
  for (const Vector& vector : vectors) {
    CAPTURE(std::string(vector.name));
    const AllowedSigners signers = allowing(vector.key);
    const auto refused = [&](std::string_view other) {
      check_refused(verify_ssh_signature(vector.signature, other, "git", signers, signing_time), ErrorCode::invalid,
                    "the signature is not right");
    };
    for (std::size_t at = 0; at < payload.size(); at += 7) refused(flipped(payload, at, 0x20));
    refused("");
    refused(std::string(payload) + "\n");
    refused(payload.substr(0, payload.size() - 1));
  }
}

TEST_CASE("a signature with any byte altered is refused") {
  for (const Vector& vector : vectors) {
    CAPTURE(std::string(vector.name));
    const AllowedSigners signers = allowing(vector.key);
    const std::string blob = blob_of(vector.signature);
    for (std::size_t at = 0; at < blob.size(); ++at) {
      CAPTURE(at);
      for (const unsigned bits : {0x01U, 0x80U}) CHECK_FALSE(verify(armored(flipped(blob, at, bits)), signers));
    }
    for (std::size_t at = 0; at < vector.signature.size(); ++at) {
      CAPTURE(at);
      for (const unsigned bits : {0x01U, 0x20U}) CHECK_FALSE(verify(flipped(vector.signature, at, bits), signers));
    }
  }
}

TEST_CASE("a signature that was cut short is refused at every length") {
  for (const Vector& vector : vectors) {
    CAPTURE(std::string(vector.name));
    const AllowedSigners signers = allowing(vector.key);
    for (std::size_t size = 0; size + 1 < vector.signature.size(); ++size) {  // the last line end may be missing
      CAPTURE(size);
      CHECK_FALSE(verify(vector.signature.substr(0, size), signers));
    }
    const std::string blob = blob_of(vector.signature);
    for (std::size_t size = 0; size < blob.size(); ++size) {
      CAPTURE(size);
      CHECK_FALSE(verify(armored(blob.substr(0, size)), signers));
      CHECK_FALSE(verify(armored(blob.substr(size + 1)), signers));
    }
  }
}

TEST_CASE("a key that is not listed is refused by its fingerprint") {
  for (const Vector& vector : vectors)
    for (const Vector& other : vectors) {
      if (vector.key == other.key) continue;
      CAPTURE(std::string(vector.name));
      const AllowedSigners signers = allowing(other.key);
      check_refused(verify(vector.signature, signers), ErrorCode::forbidden, std::string(vector.fingerprint));
      Parts parts(vector.signature);  // and it does not help to claim a key that is
      parts.key = base64_decode(other.key.substr(other.key.find(' ') + 1)).value();
      CHECK_FALSE(verify(parts.signature(), signers));
    }
}

TEST_CASE("a signature for one namespace is worth nothing in another") {
  const AllowedSigners signers = allowing(ed25519_key);
  check_refused(verify(for_files, signers), ErrorCode::invalid, R"(the signature is for "file", not for "git")");
  CHECK(verify_ssh_signature(for_files, payload, "file", signers, signing_time).has_value());
  Parts parts(for_files);
  parts.name_space = "git";
  check_refused(verify(parts.signature(), signers), ErrorCode::invalid, "the signature is not right");
}

TEST_CASE("a key signs for the namespaces of its line only") {
  const auto signature = vector_of("ssh-ed25519").signature;
  for (const char* list : {"git", "file,git", "*", "g?t", "!file,*", "*t", "g*", "gi*t", "**", "g*i*t*"}) {
    CAPTURE(std::string(list));
    CHECK(verify(signature, allowing(ed25519_key, fmt::format("namespaces=\"{}\"", list))).has_value());
  }
  for (const char* list :
       {"file", "", "gi", "gitt", "Git", "!git,*", "*,!g*", "!file", "g?", "????", "git file", "*x"}) {
    CAPTURE(std::string(list));
    check_refused(verify(signature, allowing(ed25519_key, fmt::format("NameSpaces=\"{}\"", list))),
                  ErrorCode::forbidden, "signers:1: the key of \"ada@example.com\" may sign for");
  }
}

TEST_CASE("a key signs in the time of its line only, both ends included") {
  struct Row {
    const char *options, *at, *why;  // "" when it may
  };
  for (const Row& row :
       {Row{"valid-after=\"20251124Z\"", "2025-11-24T00:00:00Z", ""},
        {"valid-after=\"20251124Z\"", "2025-11-23T23:59:59Z", "is valid from 2025-11-24T00:00:00Z on"},
        {"valid-after=\"202511240930z\"", "2025-11-24T09:30:00Z", ""},
        {"valid-after=\"202511240930Z\"", "2025-11-24T09:29:59Z", "is valid from"},
        {"valid-before=\"20251124093015Z\"", "2025-11-24T09:30:15Z", ""},
        {"Valid-Before=\"20251124093015Z\"", "2025-11-24T09:30:16Z",
         "expired: it was valid until 2025-11-24T09:30:15Z, and signed at 2025-11-24T09:30:16Z"},
        {"valid-after=\"20240229Z\",valid-before=\"20250101Z\"", "2024-06-01T00:00:00Z", ""},
        {"valid-after=\"20240229Z\",valid-before=\"20250101Z\"", "2025-06-01T00:00:00Z", "expired"},
        {"valid-after=\"20240229Z\",valid-before=\"20250101Z\"", "2023-06-01T00:00:00Z", "is valid"}}) {
    CAPTURE(std::string(row.options));
    CAPTURE(std::string(row.at));
    const auto at = parse_rfc3339(row.at).value();
    const auto answer = verify(vector_of("ssh-ed25519").signature, allowing(ed25519_key, row.options), at);
    if (*row.why == '\0') {
      CHECK(answer.has_value());
    } else {
      check_refused(answer, ErrorCode::forbidden, row.why);
    }
  }
}

TEST_CASE("of several lines with a key, the first that allows it names the signer") {
  const AllowedSigners signers = signers_of(
      fmt::format("old@example.com valid-before=\"20200101Z\" {0}\nfiles@example.com namespaces=\"file\" {0}\n"
                  "ada@example.com,ada@home.example namespaces=\"git\" {0} Ada's laptop\neve@example.com {0}\n",
                  ed25519_key));
  CHECK(verify(vector_of("ssh-ed25519").signature, signers).value_or("refused") == "ada@example.com,ada@home.example");
  const AllowedSigners none = signers_of(fmt::format(
      "old@example.com valid-before=\"20200101Z\" {0}\nfiles@example.com namespaces=\"file\" {0}\n", ed25519_key));
  check_refused(verify(vector_of("ssh-ed25519").signature, none), ErrorCode::forbidden,
                "signers:1: the key of \"old@example.com\" expired");
  // A signature that is not right tells nothing about a key: that it expired is not the news.
  check_refused(verify_ssh_signature(vector_of("ssh-ed25519").signature, "x", "git", none, signing_time),
                ErrorCode::invalid, "not right");
}

TEST_CASE("what is no signature of an SSH key is refused by its kind") {
  const AllowedSigners signers = allowing(ed25519_key);
  const std::string good(vector_of("ssh-ed25519").signature);
  struct Row {
    std::string text;
    ErrorCode code;
    const char* words;
  };
  for (const Row& row : {Row{"", ErrorCode::not_found, "there is no signature"},
                         {" \n", ErrorCode::not_found, "there is no signature"},
                         {std::string(by_pgp), ErrorCode::unsupported, "of PGP: only those of SSH keys are verified"},
                         {"-----BEGIN PGP MESSAGE-----\n", ErrorCode::unsupported, "of PGP"},
                         {"-----BEGIN SIGNED MESSAGE-----\n", ErrorCode::unsupported, "of X.509"},
                         {std::string(by_certificate), ErrorCode::unsupported, "certificates are not supported"},
                         {"x" + good, ErrorCode::invalid, "does not stand between the lines"},
                         {std::string(begin_line) + std::string(end_line), ErrorCode::invalid, "does not stand"},
                         {std::string(begin_line) + "\n" + std::string(end_line), ErrorCode::invalid, "not one of SSH"},
                         {good + good, ErrorCode::invalid, "text follows the signature"},
                         {good + "x", ErrorCode::invalid, "text follows the signature"},
                         {std::string(begin_line) + "U1N=\n" + std::string(end_line), ErrorCode::invalid, "base64"},
                         {std::string(begin_line) + std::string(65536, 'A'), ErrorCode::invalid, "64 KiB"}}) {
    CAPTURE(row.text.substr(0, 100));
    check_refused(verify(row.text, signers), row.code, row.words);
  }
  CHECK(verify(good.substr(0, good.size() - 1), signers).has_value());
  CHECK(verify(good + "\n", signers).has_value());
}

TEST_CASE("a signature in a form that nobody writes is refused") {
  struct Row {
    const char* of;
    std::function<void(Parts&)> change;
    ErrorCode code;
    const char* words;
  };
  using namespace std::string_literals;
  for (const Row& row : std::vector<Row>{
           {"ssh-ed25519", [](Parts& p) { p.head.back() = '\x02'; }, ErrorCode::unsupported, "version 2: only 1"},
           {"ssh-ed25519", [](Parts& p) { p.head.back() = '\0'; }, ErrorCode::unsupported, "version 0"},
           {"ssh-ed25519", [](Parts& p) { p.head[0] = 's'; }, ErrorCode::invalid, "not one of SSH"},
           {"ssh-ed25519", [](Parts& p) { p.reserved = "x"; }, ErrorCode::unsupported, "reserved"},
           {"ssh-ed25519", [](Parts& p) { p.hash = "sha1"; }, ErrorCode::unsupported, "a digest of \"sha1\""},
           {"ssh-ed25519", [](Parts& p) { p.hash = "sha256"; }, ErrorCode::invalid, "not right"},
           {"ssh-ed25519", [](Parts& p) { p.tail = "x"; }, ErrorCode::invalid, "damaged"},
           {"ssh-ed25519", [](Parts& p) { p.device = "\x01\0\0\0\x01"s; }, ErrorCode::invalid, "damaged"},
           {"ssh-ed25519", [](Parts& p) { p.value += "x"; }, ErrorCode::invalid, "not right"},
           {"ssh-ed25519", [](Parts& p) { p.value = ""; }, ErrorCode::invalid, "not right"},
           {"ssh-ed25519", [](Parts& p) { p.algorithm = "ssh-rsa"; }, ErrorCode::unsupported, "not accepted"},
           {"ssh-ed25519", [](Parts& p) { p.key += "x"; }, ErrorCode::forbidden, "not among the allowed signers"},
           {"ecdsa-sha2-nistp256", [](Parts& p) { p.value = ""; }, ErrorCode::invalid, "not right"},
           {"ecdsa-sha2-nistp256", [](Parts& p) { p.value = ssh_string("") + ssh_string(""); }, ErrorCode::invalid,
            "not"},
           {"ecdsa-sha2-nistp256", [](Parts& p) { p.value = ssh_string("\1") + ssh_string("\1"); }, ErrorCode::invalid,
            "not right"},
           {"ecdsa-sha2-nistp256", [](Parts& p) { p.algorithm = "ecdsa-sha2-nistp384"; }, ErrorCode::unsupported,
            "not acc"},
           {"ssh-rsa, rsa-sha2-512", [](Parts& p) { p.algorithm = "ssh-rsa"; }, ErrorCode::unsupported,
            "signatures of type \"ssh-rsa\" are not accepted"},
           {"ssh-rsa, rsa-sha2-512", [](Parts& p) { p.algorithm = "rsa-sha2-256"; }, ErrorCode::invalid, "not right"},
           {"ssh-rsa, rsa-sha2-512", [](Parts& p) { p.value.insert(0, 1, '\0'); }, ErrorCode::invalid, "not right"},
           {"sk-ssh-ed25519", [](Parts& p) { p.device = ""; }, ErrorCode::invalid, "damaged"},
           {"sk-ssh-ed25519", [](Parts& p) { p.device += "x"; }, ErrorCode::invalid, "damaged"},
           {"sk-ecdsa-sha2-nistp256", [](Parts& p) { p.algorithm = "webauthn-" + p.algorithm; }, ErrorCode::unsupported,
            "WebAuthn"},
       }) {
    const Vector& vector = vector_of(row.of);
    Parts parts(vector.signature);
    row.change(parts);
    CAPTURE(std::string(row.of));
    CAPTURE(std::string(row.words));
    check_refused(verify(parts.signature(), allowing(vector.key)), row.code, row.words);
  }
}

TEST_CASE("a number of an ECDSA signature is read in one form only") {
  for (const char* name :
       {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "sk-ecdsa-sha2-nistp256"}) {
    CAPTURE(std::string(name));
    const Vector& vector = vector_of(name);
    Parts parts(vector.signature);
    std::string_view rest = parts.value;
    const std::string r = take_string(rest), s = take_string(rest);
    const std::string zero(1, '\0');
    const auto answer = [&](std::string_view value) {
      parts.value = value;
      return verify(parts.signature(), allowing(vector.key));
    };
    CHECK(answer(ssh_string(r) + ssh_string(s)).has_value());
    CHECK_FALSE(answer(ssh_string(zero + r) + ssh_string(s)).has_value());
    CHECK_FALSE(answer(ssh_string(r) + ssh_string(zero + s)).has_value());
    CHECK_FALSE(answer(ssh_string(r) + ssh_string(s) + "x").has_value());
    CHECK_FALSE(answer(ssh_string(s) + ssh_string(r)).has_value());
    if (r[0] == '\0') CHECK_FALSE(answer(ssh_string(r.substr(1)) + ssh_string(s)).has_value());  // negative
    if (s[0] == '\0') CHECK_FALSE(answer(ssh_string(r) + ssh_string(s.substr(1))).has_value());
  }
}

TEST_CASE("a signature of an RSA key is never of SHA-1, and may be short of its leading zeros") {
  const AllowedSigners signers = allowing(rsa2048_key);
  check_refused(verify(over_sha1, signers), ErrorCode::unsupported, "\"ssh-rsa\" are not accepted");
  Parts parts(over_sha1);  // nor under another name
  for (const char* name : {"rsa-sha2-256", "rsa-sha2-512"}) {
    parts.algorithm = name;
    CHECK_FALSE(verify(parts.signature(), signers).has_value());
  }
  CHECK(Parts(without_leading_zero).value.size() == 255);
  CHECK(verify_ssh_signature(without_leading_zero, without_leading_zero_payload, "git", signers, signing_time));
}

TEST_CASE("a file of allowed signers may have comments, blank lines, quotes and both kinds of line ends") {
  const AllowedSigners signers = signers_of(
      fmt::format("# people\n\n  \t\n  # more\r\n\"Ada Lovelace\" {0}\r\n\t*@example.com,!eve@example.com\t"
                  "namespaces=\"git,file\",valid-after=\"20200101Z\" \t {1} a comment with \"quotes\nbob {0} # him",
                  ed25519_key, ecdsa256_key));
  REQUIRE(signers.lines().size() == 3);
  CHECK(signers.lines()[0].principals == "Ada Lovelace");
  CHECK(signers.lines()[0].where.to_string() == "signers:5");
  CHECK_FALSE(signers.lines()[0].namespaces);
  CHECK(signers.lines()[1].principals == "*@example.com,!eve@example.com");
  CHECK(signers.lines()[1].namespaces == "git,file");
  CHECK(signers.lines()[1].valid_after == parse_rfc3339("2020-01-01T00:00:00Z"));
  CHECK_FALSE(signers.lines()[1].valid_before);
  CHECK(signers.lines()[1].where.line == 6);
  CHECK(signers.lines()[2].principals == "bob");
  CHECK(signers.lines()[0].key == signers.lines()[2].key);
  CHECK(verify(vector_of("ssh-ed25519").signature, signers).value_or("refused") == "Ada Lovelace");
}

TEST_CASE("a wrong line of the file refuses the file and is named") {
  const std::string ed(ed25519_key);
  const std::string ed_text = ed.substr(ed.find(' ') + 1);
  const std::string point(65, '\x04');
  const std::string p256 = base64_decode(ecdsa256_key.substr(ecdsa256_key.find(' ') + 1)).value();
  const std::string good_point = p256.substr(p256.size() - point.size());
  const auto ecdsa = [](const std::string& name, const std::string& curve, const std::string& at) {
    return "a ecdsa-sha2-" + name + " " + base64(ssh_string("ecdsa-sha2-" + name) + ssh_string(curve) + ssh_string(at));
  };
  const auto rsa = [](const std::string& e, const std::string& n) {
    return "a ssh-rsa " + base64(ssh_string("ssh-rsa") + ssh_string(e) + ssh_string(n));
  };
  using namespace std::string_literals;
  const std::string modulus = "\0"s + std::string(256, '\xc3');
  struct Row {
    std::string line;
    const char* words;
  };
  for (const Row& row : std::vector<Row>{
           {"a cert-authority " + ed, "certificates are not supported"},
           {"a namespaces=\"git\",Cert-Authority " + ed, "certificates are not supported"},
           {"a ssh-ed25519-cert-v01@openssh.com AAAA", "certificates are not supported"},
           {"a ssh-dss AAAAB3NzaC1kc3M=", "\"ssh-dss\" are not supported"},
           {"a namespaces=\"git\" ssh-dss AAAAB3NzaC1kc3M=", "\"ssh-dss\" are not supported"},
           {"a " + std::string(rsa1024_key), "1024 bits"},
           {"a no-touch-required " + ed, "unknown option \"no-touch-required\""},
           {"a valid-after " + ed, "unknown option \"valid-after\""},
           {"a namespaces=git " + ed, "not in quotes"},
           {"a namespaces=\"git " + ed, "a quote is not closed"},
           {"a namespaces=\"git\"x " + ed, "no comma after the option \"namespaces\""},
           {"a namespaces=\"git\", " + ed, "the options end with a comma"},
           {"a namespaces=\"git\",,valid-after=\"20200101Z\" " + ed, "unknown option \"\""},
           {"a namespaces=\"git\",namespaces=\"git\" " + ed, "namespaces stands twice"},
           {"a valid-after=\"20200101Z\",valid-after=\"20210101Z\" " + ed, "valid-after stands twice"},
           {"a valid-before=\"20200101Z\",valid-after=\"20210101Z\" " + ed, "valid-before is not after valid-after"},
           {"a valid-after=\"2020\" " + ed, "\"2020\" is not the time of valid-after"},
           {"a valid-after=\"20200230Z\" " + ed, "is not the time"},
           {"a valid-after=\"202001012400Z\" " + ed, "is not the time"},
           {"a valid-after=\"20200101ZZ\" " + ed, "is not the time"},
           {"a valid-after=\"19690101Z\" " + ed, "is not the time"},
           {"a valid-after=\"\" " + ed, "is not the time"},
           {"\"a " + ed, "a quote is not closed"},
           {"a\"b\" " + ed, "a quote stands within the principals"},
           {"\"\" " + ed, "names no principal"},
           {"!a,!b " + ed, "names no principal"},
           {"a\x01 " + ed, "control character"},
           {"a\xff " + ed, "not UTF-8"},
           {"a", "the line has no key"},
           {ed, "begins with its key"},
           {"a namespaces=\"git\"", "the line has no key"},
           {"a ssh-ed25519", "not sound base64"},
           {"a ssh-ed25519 AAA", "not sound base64"},
           {"a ssh-ed25519 " + ed_text + "=", "not sound base64"},
           {"a ssh-rsa " + ed_text, "the key is not of the type ssh-rsa"},
           {"a ssh-ed25519 AAAA", "the key is not of the type"},
           {"a ssh-ed25519 " + base64(ssh_string("ssh-ed25519") + ssh_string(std::string(31, 'x'))), "not a sound"},
           {"a ssh-ed25519 " + base64(base64_decode(ed_text).value() + "x"), "not a sound ssh-ed25519 key"},
           {ecdsa("nistp256", "nistp256", point), "not a sound"},  // not on the curve
           {ecdsa("nistp256", "nistp384", good_point), "not a sound"},
           {ecdsa("nistp256", "nistp256", "\0"s), "not a sound"},
           {ecdsa("nistp256", "nistp256", "\x02" + std::string(32, 'x')), "not a sound"},
           {rsa("\3", modulus.substr(1)), "not a sound"},  // negative
           {rsa("\3", "\0"s + modulus), "not a sound"},    // a needless zero
           {rsa("\1", modulus), "not a sound"},            // everything is its own signature
           {rsa("\2", modulus), "not a sound"},
           {rsa("", modulus), "not a sound"},
           {rsa(std::string(9, '\3'), modulus), "not a sound"},
           {rsa("\3", std::string(2049, 'x')), "16391 bits: 2048 to 16384"},
           {rsa("\3", std::string(256, 'x')), "2047 bits"},
       }) {
    CAPTURE(row.line);
    const auto parsed = AllowedSigners::parse(fmt::format("# first\nbob {}\n{}\n", ed, row.line), "signers");
    REQUIRE_FALSE(parsed.has_value());
    CAPTURE(parsed.error().describe());
    CHECK(parsed.error().describe().starts_with("signers:3: "));
    CHECK(parsed.error().describe().find(row.words) != std::string::npos);
  }
  CHECK(AllowedSigners::parse(rsa("\3", modulus), "signers").has_value());  // but for their faults, the rows are right
  CHECK(AllowedSigners::parse(ecdsa("nistp256", "nistp256", good_point), "signers").has_value());
}

TEST_CASE("several wrong lines are named together, and a file that allows nobody is wrong") {
  const auto message = [](std::string_view text) {
    const auto parsed = AllowedSigners::parse(text, "signers");
    return parsed ? "accepted" : parsed.error().describe();
  };
  CHECK(message("a\n\na\nb\n").find("signers:1: the line has no key; wrong as well: line 3, 4") == 0);
  std::string many;
  for (int i = 0; i < 100; ++i) many += "a\n";
  CHECK(message(many).find("line 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...") != std::string::npos);
  CHECK(message("") == "signers: no signer is listed");
  CHECK(message("# nobody\n") == "signers: no signer is listed");
  CHECK(message("#" + std::string(git::allowed_signers_limit, 'x')) == "signers: the file is larger than 1024 KiB");
  CHECK(message("#" + std::string(git::allowed_signers_limit - 1, 'x')) == "signers: no signer is listed");
}

TEST_CASE("no mutation of a signature is accepted, and none of the file does harm") {
  std::mt19937 random(20251124);
  const auto below = [&](std::size_t limit) { return random() % std::max<std::size_t>(limit, 1); };
  const auto mutated = [&](std::string text, std::string_view other) {
    constexpr std::array<std::string_view, 5> lengths{"\xff\xff\xff\xff", "\x7f\xff\xff\xff", "\x80", "\x7f", "\xff"};
    for (std::size_t change = 0, changes = 1 + below(4); change < changes; ++change) {
      const std::size_t at = below(text.size()), size = below(std::min<std::size_t>(text.size() - at, 40));
      switch (below(6)) {
        case 0:
          text.replace(at, size, other.substr(below(other.size()), below(40)));
          break;
        case 1:
          text.replace(at, std::min<std::size_t>(4, text.size() - at), lengths[below(lengths.size())]);
          break;
        case 2:
          text.erase(at, size);
          break;
        case 3:
          text.insert(at, text.substr(below(text.size()), size));
          break;
        case 4:
          text.insert(at, 1, static_cast<char>(below(256)));
          break;
        default:
          if (!text.empty()) text = flipped(text, at, 1U << below(8));
      }
    }
    return text;
  };
  std::string file;
  for (const Vector& vector : vectors)
    file +=
        fmt::format("\"ada@example.com\" namespaces=\"git,*\",valid-before=\"20400101Z\" {} a comment\n", vector.key);
  const AllowedSigners signers = signers_of(file);
  for (int round = 0; round < 3000; ++round) {
    CAPTURE(round);
    const Vector& vector = vectors[below(std::size(vectors))];
    const Vector& other = vectors[below(std::size(vectors))];
    const std::string blob = blob_of(vector.signature), changed = mutated(blob, blob_of(other.signature));
    if (changed != blob) CHECK_FALSE(verify(armored(changed), signers).has_value());
    std::string text = mutated(std::string(vector.signature), other.signature);
    text.erase(std::min(text.find_last_not_of('\n') + 1, text.size()));
    text += "\n";
    const bool accepted = verify(text, signers).has_value();
    CHECK((!accepted || blob_of(text) == blob));  // a line end may have moved, no more
  }
  const std::string line =
      fmt::format("\"ada@example.com\" namespaces=\"git,*\",valid-before=\"20400101Z\" {} a comment\n", ed25519_key);
  int read = 0, refused = 0;
  for (int round = 0; round < 3000; ++round) {
    const auto parsed = AllowedSigners::parse(mutated(line, line), "signers");
    ++(parsed ? read : refused);
    if (!parsed) continue;
    for (const git::AllowedSigner& signer : parsed->lines()) CHECK_FALSE(signer.principals.empty());
    CHECK_FALSE(verify(vector_of("ecdsa-sha2-nistp256").signature, *parsed).has_value());
    (void)verify(vector_of("ssh-ed25519").signature, *parsed);
  }
  CHECK(read > 100);
  CHECK(refused > 100);
}

// --- against ssh-keygen and git ---

namespace {

class Tools {
 public:
  [[nodiscard]] const test::TemporaryDirectory& directory() const { return directory_; }

  // The exit code of a line of shell, run in the directory; what it printed goes to `said`.
  int run(const std::string& line) {
    test_support::Process shell({"/bin/sh", "-c", "cd '" + directory_.path().string() + "' && " + line},
                                directory_.path().string(),
                                {{"HOME", directory_.path().string()},
                                 {"GIT_CONFIG_NOSYSTEM", "1"},
                                 {"GIT_CONFIG_GLOBAL", "/dev/null"},
                                 {"SSH_AUTH_SOCK", ""}});
    const int code = shell.wait();
    said = shell.out() + shell.err();
    return code;
  }
  // Says so, since a test that returns then has compared nothing.
  bool lack(const std::string& program) {
    const bool here = run("command -v " + program) == 0;
    if (!here) MESSAGE(program << " is not here: nothing was compared");
    return !here;
  }

  // Whether ssh-keygen takes it for ada@example.com.
  bool keygen_accepts(const std::string& signers, std::string_view signature, std::string_view signed_text,
                      WallTime at) {
    directory_.write("signers", signers);
    directory_.write("signature", std::string(signature));
    directory_.write("payload", std::string(signed_text));
    std::string time = format_rfc3339(at);
    std::erase_if(time, [](char c) { return c == '-' || c == ':' || c == 'T'; });
    return run("ssh-keygen -Y verify -n git -f signers -I ada@example.com -s signature -Overify-time=" + time +
               " <payload") == 0;
  }

  std::string said;

 private:
  test::TemporaryDirectory directory_;
};

// The same question to our code, which may refuse the file as a whole.
bool we_accept(const std::string& signers, std::string_view signature, std::string_view signed_text, WallTime at) {
  const auto parsed = AllowedSigners::parse(signers, "signers");
  return parsed && verify_ssh_signature(signature, signed_text, "git", *parsed, at).has_value();
}

class Zone {  // the time zone of this process, for a while
 public:
  explicit Zone(const char* name) {
    if (const char* before = getenv("TZ"); before != nullptr) before_ = before;
    setenv("TZ", name, 1);
    tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;
  ~Zone() {
    before_ ? setenv("TZ", before_->c_str(), 1) : unsetenv("TZ");
    tzset();
  }

 private:
  std::optional<std::string> before_;
};

struct Commit {
  std::string signature, signed_text;
};

// A commit as `git cat-file commit` prints it, taken apart as git does to verify it.
Commit taken_apart(const std::string& object) {
  Commit commit;
  bool header = true, in_signature = false;
  for (std::size_t from = 0; from < object.size();) {
    const std::size_t end = object.find('\n', from) + 1;
    std::string line = object.substr(from, end - from);
    from = end;
    in_signature = header && (line.starts_with("gpgsig ") || (in_signature && line[0] == ' '));
    if (in_signature) {
      commit.signature += line.substr(line.find(' ') + 1);
    } else {
      commit.signed_text += line;
      header = header && line != "\n";
    }
  }
  return commit;
}

}  // namespace

TEST_CASE("ssh-keygen agrees on the recorded signatures") {
  Tools tools;
  if (tools.lack("ssh-keygen")) return;
  for (const Vector& vector : vectors) {
    CAPTURE(std::string(vector.name));
    const std::string signers = fmt::format("ada@example.com {}\n", vector.key);
    const bool good = tools.keygen_accepts(signers, vector.signature, payload, signing_time);
    CHECK_MESSAGE(good, tools.said);
    CHECK(tools.said.find(vector.fingerprint) != std::string::npos);
    CHECK_FALSE(tools.keygen_accepts(signers, vector.signature, "x", signing_time));
  }
  const std::string signers = fmt::format("ada@example.com {}\n", rsa2048_key);
  CHECK(tools.keygen_accepts(signers, without_leading_zero, without_leading_zero_payload, signing_time));
  CHECK_FALSE(tools.keygen_accepts(signers, over_sha1, payload, signing_time));
}

TEST_CASE("ssh-keygen agrees on what the options of a line allow") {
  Tools tools;
  if (tools.lack("ssh-keygen")) return;
  const auto signature = vector_of("ssh-ed25519").signature;
  int accepted = 0, refused = 0;
  const auto compare = [&](const std::string& line, WallTime at) {
    CAPTURE(line);
    CAPTURE(format_rfc3339(at));
    const bool theirs = tools.keygen_accepts(line, signature, payload, at);
    CAPTURE(tools.said);
    CHECK(we_accept(line, signature, payload, at) == theirs);
    ++(theirs ? accepted : refused);
  };
  for (const char* start : {"ada@example.com ",
                            "\"ada@example.com\" ",
                            "\"ada@example.com,x y\"  ",
                            "  *@example.com,!eve@example.com\t",
                            "ada@example.com namespaces=\"git\" ",
                            "ada@example.com namespaces=\"g?t,file\" ",
                            "ada@example.com namespaces=\"!git,*\" ",
                            "ada@example.com namespaces=\"*,!g*t\" ",
                            "ada@example.com namespaces=\"\" ",
                            "ada@example.com namespaces=\" git\" ",
                            "ada@example.com namespaces=git ",
                            "ada@example.com namespaces=\"git\", ",
                            "ada@example.com NAMESPACES=\"git\",VALID-AFTER=\"20200101\" ",
                            "ada@example.com cert-authority ",
                            "ada@example.com unknown ",
                            "ada@example.com namespaces=\"g\\\"it\" ",
                            "ada@example.com namespaces=\"git\",namespaces=\"git\" ",
                            "# ada@example.com ",
                            "ada@example.com valid-after ",
                            "ada@example.com valid-before=\"20200101Z\",valid-after=\"20210101Z\" ",
                            "ada@example.com valid-after=\"2020\" "})
    compare(fmt::format("{}{} a comment\n", start, ed25519_key), signing_time);
  const Zone zone("CET-1CEST,M3.5.0,M10.5.0/3");
  for (const char* time : {"20260701", "20260701Z", "202607011200", "202607011200Z", "20260701120030Z", "20260101",
                           "202601011200", "20260101120030"})
    for (const char* option : {"valid-after", "valid-before"}) {
      const std::string line = fmt::format("ada@example.com {}=\"{}\" {}\n", option, time, ed25519_key);
      const auto parsed = AllowedSigners::parse(line, "signers");
      REQUIRE(parsed.has_value());
      const git::AllowedSigner& signer = parsed->lines()[0];
      const WallTime edge = signer.valid_after ? *signer.valid_after : signer.valid_before.value();
      for (const int seconds : {-1, 0, 1}) compare(line, edge + std::chrono::seconds(seconds));
    }
  compare(fmt::format("ada@example.com valid-after=\"19700101\" {}\n", ed25519_key), signing_time);  // before all time
  CHECK(accepted > 20);
  CHECK(refused > 20);
}

TEST_CASE("what ssh-keygen signs with keys of its own is accepted, and nothing else") {
  Tools tools;
  if (tools.lack("ssh-keygen")) return;
  std::mt19937 random(20251124);
  for (const char* type : {"ed25519", "ecdsa -b 256", "ecdsa -b 384", "ecdsa -b 521", "rsa -b 2048", "rsa -b 3072"}) {
    CAPTURE(std::string(type));
    REQUIRE(tools.run(fmt::format("rm -f key key.pub && ssh-keygen -q -N '' -C '' -t {} -f key", type)) == 0);
    const std::string signers = "ada@example.com " + tools.directory().read("key.pub");
    for (const std::size_t size : {0UL, 1UL, 1000UL, 100'000UL}) {
      CAPTURE(size);
      std::string text(size, '\0');
      for (char& c : text) c = static_cast<char>(random());
      tools.directory().write("text", text);
      const char* digest = random() % 2 == 0 ? "sha256" : "sha512";
      REQUIRE(tools.run(fmt::format("ssh-keygen -q -Y sign -n git -O hashalg={} -f key <text >text.sig", digest)) == 0);
      const std::string signature = tools.directory().read("text.sig");
      CHECK(we_accept(signers, signature, text, signing_time));
      CHECK(tools.keygen_accepts(signers, signature, text, signing_time));
      CHECK_FALSE(we_accept(signers, signature, text + "x", signing_time));
      for (int round = 0; round < 30; ++round) {
        const std::string blob = blob_of(signature);
        CHECK_FALSE(we_accept(signers, armored(flipped(blob, random() % blob.size(), 1U << (random() % 8))), text,
                              signing_time));
      }
    }
  }
}

TEST_CASE("a commit that git signed is verified as git verifies it") {
  Tools tools;
  if (tools.lack("ssh-keygen") || tools.lack("git")) return;
  REQUIRE(tools.run("ssh-keygen -q -N '' -C '' -t ed25519 -f key && git init -q repository") == 0);
  tools.directory().write("signers", "ada@example.com namespaces=\"git\" " + tools.directory().read("key.pub"));
  tools.directory().write("message", "Add the dashboards\n\ngpgsig is a header\n of a commit\n\nÄ\n");
  const std::string git = "git -C repository -c gpg.format=ssh -c gpg.ssh.allowedSignersFile=../signers";
  CHECK_MESSAGE(
      tools.run(git + " -c user.name=Ada -c user.email=ada@example.com -c user.signingKey=../key commit -q -S "
                      "--allow-empty -F ../message") == 0,
      tools.said);
  CHECK_MESSAGE(tools.run(git + " verify-commit HEAD") == 0, tools.said);
  REQUIRE(tools.run(git + " cat-file commit HEAD >object") == 0);
  const Commit commit = taken_apart(tools.directory().read("object"));
  const AllowedSigners signers = signers_of(tools.directory().read("signers"));
  const auto answer = verify_ssh_signature(commit.signature, commit.signed_text, "git", signers, signing_time);
  REQUIRE_MESSAGE(answer.has_value(), (answer ? "" : answer.error().describe()));
  CHECK(*answer == "ada@example.com");
  check_refused(verify_ssh_signature(commit.signature, tools.directory().read("object"), "git", signers, signing_time),
                ErrorCode::invalid, "not right");
  REQUIRE(tools.run(git + " -c user.name=Ada -c user.email=a@x commit -q --no-gpg-sign --allow-empty -m more") == 0);
  REQUIRE(tools.run(git + " cat-file commit HEAD >object") == 0);
  const Commit plain = taken_apart(tools.directory().read("object"));
  check_refused(verify_ssh_signature(plain.signature, plain.signed_text, "git", signers, signing_time),
                ErrorCode::not_found, "there is no signature");
}
