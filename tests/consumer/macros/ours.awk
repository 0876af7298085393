# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Reads the output of `c++ -E -dD`; prints each macro that a file below include/mars/ leaves defined.
/^# [0-9]+ "/ { split($0, part, "\""); ours = part[2] ~ /\/include\/mars\// }
/^#define / && ours { name = $2; sub(/\(.*/, "", name); defined[name] = 1 }
/^#undef / { delete defined[$2] }
END { for (name in defined) print name }
