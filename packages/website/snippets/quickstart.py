from arcrun import Arcrun

# Reads ARCRUN_API_KEY and ARCRUN_BASE_URL from the environment.
with Arcrun() as client:
    client.workflows.push(
        "greet",
        {
            "description": "Say it louder",
            "flow": ["input >> ON_SUCCESS >> shout"],
            "config": {
                "shout": {
                    "component": "string_ops",
                    "operation": "upper",
                    "text": "{{input.text}}",
                },
            },
        },
    )
    run = client.workflows.run("greet", {"text": "hello, 世界"})
    print(run["data"])
