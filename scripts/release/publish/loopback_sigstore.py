"""Stand in for Sigstore on loopback: sign attestations as GitHub's runners do, under a trust root of its own.

What it makes is complete: a certificate with the identity of a workflow, its entry in a certificate log, the signed
statement, and its entry in a transparency log. So the real library verifies it, with this trust root only.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import struct
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from scripts.release.publish.attestations import (
    ISSUER,
    PAYLOAD,
    PREDICATE,
    PYPI_PREDICATE,
    STATEMENT,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scripts.release.publish.attestations import Identity

_CODE_SIGNING = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
_SIGNED_TIMESTAMPS = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
# What Fulcio writes into certificates: https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
_ISSUER = ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
_COMMIT = ObjectIdentifier("1.3.6.1.4.1.57264.1.13")
_SHA256_WITH_ECDSA = bytes([4, 3])
_MINUTES = 10  # for which a certificate is valid


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _log_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(_public(key)).digest()


def _sign(key: ec.EllipticCurvePrivateKey, content: bytes) -> bytes:
    return key.sign(content, ec.ECDSA(hashes.SHA256()))


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, text)])


class Sigstore:
    """An authority for certificates and two logs, with keys that exist only as long as it does."""

    def __init__(self, now: dt.datetime | None = None) -> None:
        """Make the keys, and the certificate of the authority."""
        self.now = (now or dt.datetime.now(dt.timezone.utc)).replace(microsecond=0)
        self._authority, self._certificates, self._entries = _key(), _key(), _key()
        name, year = _name("loopback"), dt.timedelta(days=365)
        self._root = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._authority.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - year)
            .not_valid_after(self.now + year)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(authority=True), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self._authority.public_key()),
                critical=False,
            )
            .sign(self._authority, hashes.SHA256())
        )

    @property
    def trust_root(self) -> str:
        """Return what a verifier must trust, as JSON."""
        begin = (self.now - dt.timedelta(days=365)).isoformat()
        chain = {"certificates": [{"rawBytes": _base64(self._root.public_bytes(Encoding.DER))}]}
        authority = {
            "subject": {"organization": "loopback", "commonName": "loopback"},
            "uri": "http://127.0.0.1",
            "certChain": chain,
            "validFor": {"start": begin},
        }
        document = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [_log(self._entries, begin)],
            "certificateAuthorities": [authority],
            "ctlogs": [_log(self._certificates, begin)],
        }
        return json.dumps(document)

    def attest(
        self,
        subjects: Mapping[str, str],
        identity: Identity,
        *,
        late: dt.timedelta = dt.timedelta(0),
        predicate: str = PREDICATE,
    ) -> dict[str, Any]:
        """Return the bundle in which a workflow attests files.

        Args:
            subjects: The SHA-256 of each file, by name.
            identity: The workflow.
            late: How long after it got its certificate it signs.
            predicate: What it states of them.
        """
        key = _key()
        certificate = self._certificate(key, identity)
        statement = {
            "_type": STATEMENT,
            "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in subjects.items()],
            "predicateType": predicate,
            "predicate": {},
        }  # fmt: skip
        payload = json.dumps(statement).encode()
        signed = b" ".join(
            [b"DSSEv1", b"%d" % len(PAYLOAD), PAYLOAD.encode(), b"%d" % len(payload), payload]
        )
        signature = _sign(key, signed)
        entry = self._logged(payload, signature, certificate, self.now + late)
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": _base64(certificate.public_bytes(Encoding.DER))},
                "tlogEntries": [entry],
            },
            "dsseEnvelope": {
                "payload": _base64(payload),
                "payloadType": PAYLOAD,
                "signatures": [{"sig": _base64(signature)}],
            },
        }

    def provenance(self, name: str, digest: str, identity: Identity) -> dict[str, Any]:
        """Return what PyPI gives out for a file that a workflow has uploaded with an attestation (PEP 740)."""
        bundle = self.attest({name: digest}, identity, predicate=PYPI_PREDICATE)
        material, envelope = bundle["verificationMaterial"], bundle["dsseEnvelope"]
        attestation = {
            "version": 1,
            "verification_material": {
                "certificate": material["certificate"]["rawBytes"],
                "transparency_entries": material["tlogEntries"],
            },
            "envelope": {
                "statement": envelope["payload"],
                "signature": envelope["signatures"][0]["sig"],
            },
        }
        return {"version": 1, "attestation_bundles": [{"attestations": [attestation]}]}

    def _certificate(self, key: ec.EllipticCurvePrivateKey, identity: Identity) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self._root.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now)
            .not_valid_after(self.now + dt.timedelta(minutes=_MINUTES))
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(_CODE_SIGNING, critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._authority.public_key()),
                critical=False,
            )
            .add_extension(
                x509.SubjectAlternativeName(
                    [x509.UniformResourceIdentifier(identity.workflow_url)]
                ),
                critical=True,
            )
        )
        for oid, text in ((_ISSUER, ISSUER), (_COMMIT, identity.commit)):
            extension = x509.UnrecognizedExtension(oid, _utf8_string(text))
            builder = builder.add_extension(extension, critical=False)
        without = builder.sign(self._authority, hashes.SHA256()).tbs_certificate_bytes
        logged = x509.UnrecognizedExtension(_SIGNED_TIMESTAMPS, self._timestamp(without))
        return builder.add_extension(logged, critical=False).sign(self._authority, hashes.SHA256())

    def _timestamp(self, certificate: bytes) -> bytes:
        """Return the list of timestamps (RFC 6962) with which a log promises to have a certificate."""
        version, entry_type, extensions = 0, 1, b""
        milliseconds = int(self.now.timestamp() * 1000)
        issuer = hashlib.sha256(_public(self._authority)).digest()
        entry = issuer + len(certificate).to_bytes(3, "big") + certificate
        content = struct.pack("!BBQH", version, 0, milliseconds, entry_type) + entry
        signature = _sign(self._certificates, content + struct.pack("!H", len(extensions)))
        timestamp = struct.pack("!B", version) + _log_id(self._certificates)
        timestamp += struct.pack("!QH", milliseconds, len(extensions)) + _SHA256_WITH_ECDSA
        timestamp += struct.pack("!H", len(signature)) + signature
        listed = struct.pack("!H", len(timestamp)) + timestamp
        return _octet_string(struct.pack("!H", len(listed)) + listed)

    def _logged(
        self, payload: bytes, signature: bytes, certificate: x509.Certificate, time: dt.datetime
    ) -> dict[str, Any]:
        """Return the entry of the transparency log, which is the only one in it, with all proofs."""
        body = {
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
                "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
                "signatures": [
                    {
                        "signature": _base64(signature),
                        "verifier": _base64(certificate.public_bytes(Encoding.PEM)),
                    }
                ],
            },
        }  # fmt: skip
        content = _canonical(body)
        root = hashlib.sha256(b"\x00" + content).digest()
        log, seconds = _log_id(self._entries), int(time.timestamp())
        promised = {
            "body": _base64(content),
            "integratedTime": seconds,
            "logID": log.hex(),
            "logIndex": 0,
        }
        note = f"loopback - 1\n1\n{_base64(root)}\n"
        signed = _base64(log[:4] + _sign(self._entries, note.encode()))
        proof = {
            "logIndex": "0",
            "rootHash": _base64(root),
            "treeSize": "1",
            "hashes": [],
            "checkpoint": {"envelope": f"{note}\n— loopback {signed}\n"},
        }
        promise = _base64(_sign(self._entries, _canonical(promised)))
        return {
            "logIndex": "0",
            "logId": {"keyId": _base64(log)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(seconds),
            "inclusionPromise": {"signedEntryTimestamp": promise},
            "inclusionProof": proof,
            "canonicalizedBody": _base64(content),
        }


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _log(key: ec.EllipticCurvePrivateKey, begin: str) -> dict[str, Any]:
    return {
        "baseUrl": "http://127.0.0.1",
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": _base64(_public(key)),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": {"start": begin},
        },
        "logId": {"keyId": _base64(_log_id(key))},
    }


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _tagged(tag: int, content: bytes) -> bytes:
    """Return a DER element; its length takes one byte, or a byte that says how many follow."""
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    needed = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | needed]) + length.to_bytes(needed, "big") + content


def _utf8_string(text: str) -> bytes:
    return _tagged(0x0C, text.encode())


def _octet_string(content: bytes) -> bytes:
    return _tagged(0x04, content)
