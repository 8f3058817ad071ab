acr push workflow.yaml
acr run greet text="hello, 世界"
