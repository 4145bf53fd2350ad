"""Whose certificates are believed: those that SSL_CERT_FILE or SSL_CERT_DIR name, else those of the system."""

import os
import ssl
import sys

_USUAL_FILES = (
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/ca-bundle.pem",
)
"""Where Linux systems keep theirs, for a Python that was built to look elsewhere."""


def trusted() -> ssl.SSLContext:
    """Raises OSError where they cannot be read."""
    if file := os.environ.get("SSL_CERT_FILE"):
        return ssl.create_default_context(cafile=file)
    if folder := os.environ.get("SSL_CERT_DIR"):
        return ssl.create_default_context(capath=folder)
    if sys.platform != "linux":
        from httpx2 import create_ssl_context  # which asks the system's own store there

        return create_ssl_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_default_verify_paths()
    if not context.cert_store_stats()["x509_ca"] and not _has_folder():
        usual = next(filter(os.path.isfile, _USUAL_FILES), None)
        if usual:
            context.load_verify_locations(usual)
    return context


def _has_folder() -> bool:
    """Whether there is a folder of certificates, which are read as they are needed."""
    folder = ssl.get_default_verify_paths().capath
    return folder is not None and bool(os.listdir(folder))
