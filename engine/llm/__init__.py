"""Language models: any OpenAI-compatible endpoint, or llama.cpp in this process."""
