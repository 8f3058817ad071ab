"""A scenario that pushes one sealed credential, which several test modules use."""

PUSH = """\
id: push
title: push
spec: [docs/contract.md#routes]
needs: [sealed_credentials]
secrets:
  token: {value: "canary-${run}-密鑰"}
steps:
  - id: pushed
    call: creds.push
    with: {name: "${run}_token", value: "${secret.token}"}
    expect: {result: {name: "${run}_token"}}
wire:
  - id: sealed
    where: {method: POST, path: /credentials}
    count: 1
    request: {body: {encrypted: {$base64: 32}, value: {$absent: true}}}
"""
