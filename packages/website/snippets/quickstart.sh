curl -fsS "$ARCRUN_BASE_URL/cypher/execute" \
  -H "X-Arcrun-API-Key: $ARCRUN_API_KEY" \
  -H "Content-Type: application/json" \
  -d '{
    "triplets": ["input >> ON_SUCCESS >> shout"],
    "config": {
      "shout": {"component": "string_ops", "operation": "upper", "text": "{{input.text}}"}
    },
    "context": {"text": "hello, 世界"}
  }'
