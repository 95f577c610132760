# a program in C++ with threads
#: prints 4950
mkdir -p /src/cxx && cd /src/cxx
cat > sum.cc <<'X'
#include <iostream>
#include <thread>
#include <vector>
#include <atomic>
int main() {
    std::atomic<int> sum{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 100; i++) threads.emplace_back([&sum, i] { sum += i; });
    for (auto &t : threads) t.join();
    std::cout << sum << std::endl;
}
X
g++ -O1 -pthread -o sum sum.cc
./sum
