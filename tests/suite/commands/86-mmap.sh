# a file is changed in memory
#: prints changed
python3 - <<'X'
import mmap
open("/var/tmp/mapped", "wb").write(b"unmapped" * 1024)
with open("/var/tmp/mapped", "r+b") as f:
    m = mmap.mmap(f.fileno(), 0)
    m[:8] = b"changed!"
    m.flush()
print(open("/var/tmp/mapped").read(7))
X
