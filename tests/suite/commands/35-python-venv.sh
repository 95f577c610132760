# a virtual environment, and a wheel that was made on the spot
#: leaves /opt/venv/bin/python
#: prints from a wheel
mkdir -p /src/wheel/spot && cd /src/wheel
echo 'def main(): print("from a wheel")' > spot/__init__.py
cat > setup.py <<'X'
from setuptools import setup
setup(name="spot", version="1.0", packages=["spot"],
      entry_points={"console_scripts": ["spot=spot:main"]})
X
python3 setup.py -q bdist_wheel
python3 -m venv /opt/venv
/opt/venv/bin/pip --disable-pip-version-check install --no-index dist/*.whl
/opt/venv/bin/spot
