# processes that share semaphores in memory
#: prints 285
cat > /tmp/pool.py <<'X'
from multiprocessing import Pool, Lock, shared_memory
def square(x): return x * x
if __name__ == "__main__":
    lock = Lock()
    memory = shared_memory.SharedMemory(create=True, size=4096)
    memory.buf[0] = 1
    with Pool(4) as pool, lock:
        print(sum(pool.map(square, range(10))))
    memory.close(); memory.unlink()
X
python3 /tmp/pool.py
