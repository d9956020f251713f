"""The interconnection test of a link (相互接続テスト): from gateway to gateway, as its calls go."""
