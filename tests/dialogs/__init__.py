"""The dialogs, against a real cloud: what a person types, sees and can put right."""
