"""A Debian guest under QEMU with real BlueZ: what no test in this process can show. `make test-hub`."""
