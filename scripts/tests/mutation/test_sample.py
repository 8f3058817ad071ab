from scripts.mutation.sample import sample

ITEMS = [("large", n) for n in range(30)] + [("small", n) for n in range(10)]


def module(item: tuple[str, int]) -> str:
    return item[0]


def test_a_seed_repeats_a_sample_and_another_does_not() -> None:
    assert sample(ITEMS, 8, 1, module) == sample(ITEMS, 8, 1, module)
    assert sample(ITEMS, 8, 1, module) != sample(ITEMS, 8, 2, module)


def test_each_module_gives_its_share_whenever_the_time_is_over() -> None:
    for seed in range(20):
        for count in (8, 20, 36):
            small = [item for item in sample(ITEMS, count, seed, module) if item[0] == "small"]
            assert abs(len(small) - count / 4) <= 1


def test_there_are_no_more_than_there_are() -> None:
    assert sorted(sample(ITEMS, 100, 1, module)) == sorted(ITEMS)
