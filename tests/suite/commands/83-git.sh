# a repository is cloned
#: prints first
git config --global user.email spot@example.com
git config --global user.name Spot
git init -q /src/repository && cd /src/repository
echo one > file && git add file && git commit -q -m first
git clone -q /src/repository /src/clone
git -C /src/clone log --format=%s
git clone -q file:///src/repository /src/clone2
