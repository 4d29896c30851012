"""The Debian package installed and removed in a Debian 13 without a running systemd: `make test-deb`."""
