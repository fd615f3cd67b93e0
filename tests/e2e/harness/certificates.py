"""A private CA, and certificates for servers and callers."""

import dataclasses
import pathlib
import subprocess

import grpc

DOMAIN = "spiffe://wemasy.local"


@dataclasses.dataclass(frozen=True)
class Certificate:
    """Paths of PEM files."""

    ca: str
    certificate: str
    key: str

    def credentials(self) -> grpc.ChannelCredentials:
        read = lambda path: pathlib.Path(path).read_bytes()  # noqa: E731
        return grpc.ssl_channel_credentials(
            read(self.ca), read(self.key), read(self.certificate)
        )


class Authority:
    """Signs certificates that are good for a day."""

    def __init__(self, folder: pathlib.Path):
        self._folder = folder
        folder.mkdir()
        self._ca = folder / "ca.pem"
        self._ca_key = folder / "ca.key"
        self._openssl(
            *("req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"),
            *("-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-subj", "/CN=test CA"),
            *("-keyout", self._ca_key, "-out", self._ca),
        )

    @property
    def ca(self) -> str:
        return str(self._ca)

    def issue(self, name: str, subject_alt_name: str, days=1) -> Certificate:
        """Signs a certificate; one without alternative names if empty."""
        key = self._folder / f"{name}.key"
        request = self._folder / f"{name}.csr"
        certificate = self._folder / f"{name}.pem"
        extensions = self._folder / f"{name}.ext"
        lines = ["basicConstraints=CA:FALSE"]
        if subject_alt_name:
            lines.append(f"subjectAltName={subject_alt_name}")
        extensions.write_text("\n".join(lines), encoding="utf-8")
        self._openssl(
            *("req", "-newkey", "ec", "-nodes", "-subj", f"/CN={name}"),
            *("-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-keyout", key, "-out", request),
        )
        self._openssl(
            *("x509", "-req", "-in", request, "-out", certificate),
            *("-CA", self._ca, "-CAkey", self._ca_key, "-CAcreateserial"),
            *("-days", str(days), "-extfile", extensions),
        )
        return Certificate(str(self._ca), str(certificate), str(key))

    def _openssl(self, *arguments):
        subprocess.run(
            ["openssl", *map(str, arguments)],
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
